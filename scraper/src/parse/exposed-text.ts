// Hot: names and texts as bytes of UTF-8, looked at without making strings of them.

import { isUtf8 } from 'node:buffer';

const UNDERSCORE = 0x5f;
const COLON = 0x3a;
const shownBytes = 200;

export function isText(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! >= 0x80) return isUtf8(bytes);
  return true;
}

/** Whether it is a name of before UTF-8 names: letters, digits, underscores, and colons in metric names. */
export function isLegacyName(bytes: Uint8Array, kind: 'metric' | 'label'): boolean {
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    const lower = byte | 0x20;
    const isLetter = (lower >= 0x61 && lower <= 0x7a) || byte === UNDERSCORE;
    const isDigit = byte >= 0x30 && byte <= 0x39;
    if (!isLetter && !(isDigit && i > 0) && !(byte === COLON && kind === 'metric')) return false;
  }
  return bytes.length > 0;
}

/** For messages. */
export function shownText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, shownBytes)).toString('utf8');
}
