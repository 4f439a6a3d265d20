// Scans string literals and takes their quotes and escapes off.
//
// Quotes are ', " (with Go's escapes) and ` (raw). A string is checked while it is scanned, so unquoting cannot fail.

import { goUnicodeName } from './byte-text.ts';
import type { Cursor } from './cursor.ts';

const REPLACEMENT_CHAR = '\u00ef\u00bf\u00bd';
const SIMPLE_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
  ['\\', '\\'],
]);

const NOT_TERMINATED = 'escape sequence not terminated';

interface NumericEscape {
  readonly digits: number;
  readonly base: number;
  readonly max: number;
}

function numericEscape(char: string): NumericEscape | undefined {
  if (char === 'x') return { digits: 2, base: 16, max: 0xff };
  if (char === 'u') return { digits: 4, base: 16, max: 0x10ffff };
  if (char === 'U') return { digits: 8, base: 16, max: 0x10ffff };
  return undefined;
}

function scanDigits(cursor: Cursor, { digits, base, max }: NumericEscape): string | undefined {
  let value = 0;
  for (let i = 0; i < digits; i++) {
    const char = cursor.takeChar();
    if (char === '') return NOT_TERMINATED;
    const digit = /^[0-9a-fA-F]$/.test(char) ? Number.parseInt(char, 16) : base;
    if (digit >= base) return `illegal character ${goUnicodeName(char)} in escape sequence`;
    value = value * base + digit;
  }
  const surrogate = value >= 0xd800 && value < 0xe000;
  return value > max || surrogate ? 'escape sequence is an invalid Unicode code point' : undefined;
}

/** The backslash has been taken. Returns what is wrong, if anything is. */
function scanEscape(cursor: Cursor, quote: string): string | undefined {
  const numeric = numericEscape(cursor.peek());
  if (numeric !== undefined) {
    cursor.pos++;
    return scanDigits(cursor, numeric);
  }
  if (cursor.is('01234567')) return scanDigits(cursor, { digits: 3, base: 8, max: 255 });
  const char = cursor.takeChar();
  if (char === '') return NOT_TERMINATED;
  return char === quote || SIMPLE_ESCAPES.has(char)
    ? undefined
    : `unknown escape sequence ${goUnicodeName(char)}`;
}

/** Moves over the string that begins here. Returns what is wrong with it, if anything is. */
export function scanString(cursor: Cursor): string | undefined {
  const quote = cursor.takeChar();
  const raw = quote === '`';
  for (;;) {
    if (cursor.atEnd) return raw ? 'unterminated raw string' : 'unterminated quoted string';
    if (cursor.acceptText(REPLACEMENT_CHAR)) return 'invalid UTF-8 rune';
    if (cursor.accept(quote)) return undefined;
    if (!raw && cursor.is('\n')) return 'unterminated quoted string';
    if (!raw && cursor.accept('\\')) {
      const problem = scanEscape(cursor, quote);
      if (problem !== undefined) return problem;
    } else {
      cursor.pos++;
    }
  }
}

function unescape(escape: string): string {
  const kind = escape[1] ?? '';
  if (kind >= '0' && kind <= '7') return String.fromCharCode(Number.parseInt(escape.slice(1), 8));
  if (kind === 'x') return String.fromCharCode(Number.parseInt(escape.slice(2), 16));
  if (kind === 'u' || kind === 'U') {
    const char = String.fromCodePoint(Number.parseInt(escape.slice(2), 16));
    return Buffer.from(char, 'utf8').toString('latin1');
  }
  return SIMPLE_ESCAPES.get(kind) ?? kind;
}

const ESCAPE = /\\(?:[0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[^])/g;

/** The value, as byte text, of a scanned string with its quotes. */
export function unquote(literal: string): string {
  const inner = literal.slice(1, -1);
  return literal.startsWith('`') ? inner : inner.replace(ESCAPE, unescape);
}
