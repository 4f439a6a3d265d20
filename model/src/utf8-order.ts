// Order and validity of strings as their UTF-8 bytes have it, without encoding them.
//
// UTF-16 code units sort like UTF-8 bytes, except that surrogates (0xD800–0xDFFF), which stand for the code points
// above 0xFFFF, must come after 0xE000–0xFFFF. Prometheus sorts by bytes everywhere, so every merge depends on this.

/** Compares two well-formed strings by their UTF-8 bytes: negative, zero or positive. */
export function compareUtf8(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return byteRank(x) - byteRank(y);
  }
  return a.length - b.length;
}

function byteRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** Whether the string has a UTF-8 form: no lone surrogate. */
export function isWellFormed(s: string): boolean {
  return s.isWellFormed();
}
