// Scans what may be a number or a duration. Not every scanned number is one: parseNumber has the last word.
//
// The oddities (`0xeee` is refused, `1_` goes through to parseNumber) are Prometheus's, since its error texts show the scanned part.

import { Cursor } from './cursor.ts';

const DECIMAL_DIGITS = '0123456789';
const HEX_DIGITS = '0123456789abcdefABCDEF';
const UNITS = 'smhdw';
const AFTER_DOT_REFUSED = '_.';
const AFTER_MARK_REFUSED = '._eE';

export function isDigit(char: string): boolean {
  return char >= '0' && char <= '9';
}

export function isAlpha(char: string): boolean {
  return char === '_' || (char >= 'a' && char <= 'z') || (char >= 'A' && char <= 'Z');
}

export function isAlphaNumeric(char: string): boolean {
  return isAlpha(char) || isDigit(char);
}

function refusedAfterMark(cursor: Cursor): boolean {
  return cursor.accept(AFTER_MARK_REFUSED) || cursor.atEnd;
}

interface Seen {
  dot: boolean;
  exponent: boolean;
}

/** Takes a dot, exponent, underscore or run of digits; false if it cannot stand here. */
function scanPart(cursor: Cursor, digits: string, seen: Seen): boolean {
  const dot = cursor.accept('.');
  if (dot) {
    const repeated = seen.dot;
    seen.dot = true;
    return !repeated && !cursor.accept(AFTER_DOT_REFUSED) && digits === DECIMAL_DIGITS;
  }
  if (cursor.accept('eE')) {
    const repeated = seen.exponent;
    seen.exponent = true;
    if (repeated) return false;
    cursor.accept('+-');
    return !refusedAfterMark(cursor);
  }
  if (cursor.accept('_')) return !refusedAfterMark(cursor);
  cursor.acceptRun(digits);
  return true;
}

/** Moves over a number; false if there is none, with the cursor where that showed. */
export function scanNumber(cursor: Cursor): boolean {
  const start = cursor.pos;
  let digits = DECIMAL_DIGITS;
  if (cursor.accept('0') && cursor.accept('xX')) {
    cursor.accept('_');
    digits = HEX_DIGITS;
  }
  cursor.accept('.');
  cursor.accept(digits);
  const seen: Seen = { dot: false, exponent: false };
  while (cursor.is(`${digits}._eE`)) {
    if (!scanPart(cursor, digits, seen)) return false;
  }
  return cursor.pos > start && !isAlphaNumeric(cursor.peek());
}

/** Moves over the rest of a duration whose first digits have been taken, and over one character more if it is refused. */
export function scanRestOfDuration(cursor: Cursor): boolean {
  if (!cursor.accept(`${UNITS}y`)) return false;
  cursor.accept('s');
  while (cursor.accept(DECIMAL_DIGITS)) {
    cursor.acceptRun(DECIMAL_DIGITS);
    if (!cursor.accept(UNITS)) return false;
    cursor.accept('s');
  }
  if (!isAlphaNumeric(cursor.peek())) return true;
  cursor.pos++;
  return false;
}
