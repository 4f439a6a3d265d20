// What is wrong with an exposition line, in Prometheus's words. Any such error fails the whole scrape.

import { isUtf8 } from 'node:buffer';
import { goQuote } from '@flotilla/model';

/** Bytes of a line that an error may repeat: the text ends in status pages and heartbeats. */
const excerptBytes = 256;

export class ParseError extends Error {
  override readonly name = 'ParseError';
}

/** Go's %q of bytes; what is not UTF-8 becomes \xNN. */
export function quoteBytes(bytes: Buffer): string {
  const shown = bytes.length > excerptBytes ? bytes.subarray(0, excerptBytes) : bytes;
  const dots = shown.length < bytes.length ? '…' : '';
  if (isUtf8(shown)) return goQuote(shown.toString('utf8') + dots);
  const parts = [...shown].map((byte) =>
    byte < 0x80 ? goQuote(String.fromCharCode(byte)).slice(1, -1) : `\\x${byte.toString(16)}`,
  );
  return `"${parts.join('')}${dots}"`;
}
