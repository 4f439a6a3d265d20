// Hot: texts of names and label values, once per token of a new line.
//
// The lines of a body and the bodies of a job say the same names and values over and over. A text that was seen lately is
// the same string again: no call into Node, no garbage, and a hash that maps know already.

const SLOTS = 1 << 13;
const LENGTH_MAX = 64;
const texts: (string | undefined)[] = Array.from({ length: SLOTS });

/** The text of bytes[from, to) if it is short and ASCII; undefined if not. */
export function shortText(bytes: Buffer, from: number, to: number): string | undefined {
  if (to - from > LENGTH_MAX) return undefined;
  let hash = to - from;
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    if (byte >= 0x80) return undefined;
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
  const known = texts[slot];
  if (known !== undefined && isAt(known, bytes, from, to)) return known;
  const text = bytes.toString('latin1', from, to);
  texts[slot] = text;
  return text;
}

function isAt(text: string, bytes: Buffer, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[from + i]) return false;
  return true;
}
