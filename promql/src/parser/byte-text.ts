// Byte text: a string whose characters are the UTF-8 bytes of a query, each U+0000..U+00FF.
//
// The lexer works on it, so an index is a byte offset as Prometheus reports it, and needs no table to convert.
// For an ASCII query, by far the most, it is the query itself.

import { isUtf8 } from 'node:buffer';

import { goQuote } from '@flotilla/model';

// oxlint-disable-next-line no-control-regex -- the range is the ASCII range
const ASCII = /^[\u0000-\u007f]*$/;

export function toByteText(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

const BYTE_SURROGATES = 0xdc00;

/** Bytes that are not UTF-8, which only an escape like `\xff` can make, become lone surrogates U+DC80..U+DCFF. */
export function fromByteText(bytes: string): string {
  if (ASCII.test(bytes)) return bytes;
  return isUtf8Text(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : decodeByChar(bytes);
}

function decodeByChar(bytes: string): string {
  let text = '';
  for (let start = 0; start < bytes.length;) {
    const char = bytes.slice(start, start + charLength(bytes, start));
    const whole = isUtf8Text(char);
    text += whole ? fromByteText(char) : String.fromCharCode(BYTE_SURROGATES + bytes.charCodeAt(start));
    start += whole ? char.length : 1;
  }
  return text;
}

export function isUtf8Text(bytes: string): boolean {
  return ASCII.test(bytes) || isUtf8(Buffer.from(bytes, 'latin1'));
}

/** Byte length of the UTF-8 character at `index`. */
export function charLength(bytes: string, index: number): number {
  const first = bytes.charCodeAt(index);
  if (first < 0x80) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

/** Go's `%q` of text from fromByteText; bytes that are not UTF-8 are shown as `\xff`. */
export function goQuoteText(text: string): string {
  const parts = text.split(/([\udc80-\udcff])/u).map((part, i) => {
    return i % 2 === 0
      ? goQuote(part).slice(1, -1)
      : `\\x${(part.charCodeAt(0) - BYTE_SURROGATES).toString(16)}`;
  });
  return `"${parts.join('')}"`;
}

/** Go's `%q`, of the first `charsMax` characters only if given. */
export function goQuoteBytes(bytes: string, charsMax = Infinity): string {
  const text = fromByteText(bytes);
  return goQuoteText(text.length <= charsMax ? text : Array.from(text).slice(0, charsMax).join(''));
}

/** Go's `%q` of a character: `'x'`, `'\n'`. The end of input counts as U+FFFD. */
export function goQuoteChar(char: string): string {
  if (char === "'") return String.raw`'\''`;
  if (char === '"') return `'"'`;
  return `'${goQuote(char === '' ? '\ufffd' : char).slice(1, -1)}'`;
}

/** Go's `%#U` of a character: `U+0041 'A'`, without the character if it does not print. */
export function goUnicodeName(char: string): string {
  const name = `U+${(char.codePointAt(0) ?? 0xfffd).toString(16).toUpperCase().padStart(4, '0')}`;
  const printed = goQuote(char).slice(1, -1);
  const prints = printed === char || char === '"' || char === '\\';
  return prints ? `${name} '${char}'` : name;
}
