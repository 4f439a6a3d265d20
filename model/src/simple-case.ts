// Go's strings.ToLower and ToUpper: each code point alone, and always to one code point.
//
// JavaScript maps in full (ß → SS, İ → i + dot, final sigma), which would give other label values than Prometheus's.

export function simpleLowerCase(s: string): string {
  return isAscii(s) ? s.toLowerCase() : s.replace(/./gsu, lowerRune);
}

export function simpleUpperCase(s: string): string {
  return isAscii(s) ? s.toUpperCase() : s.replace(/./gsu, upperRune);
}

function isAscii(s: string): boolean {
  return !/[^ -~]/.test(s);
}

/** U+0130, capital I with dot, is the one code point whose full lower case is longer. */
function lowerRune(rune: string): string {
  return rune === '\u0130' ? 'i' : rune.toLowerCase();
}

/** Where the full form is longer, a Greek letter with iota below has its title case; the others stay as they are. */
function upperRune(rune: string): string {
  const full = rune.toUpperCase();
  if (isOneRune(full)) return full;
  const code = rune.codePointAt(0)!;
  for (const offset of [8, 9]) {
    const title = String.fromCodePoint(code + offset);
    if (/\p{Lt}/u.test(title) && title.toLowerCase() === rune) return title;
  }
  return rune;
}

function isOneRune(s: string): boolean {
  return s.length === (s.codePointAt(0)! > 0xffff ? 2 : 1);
}
