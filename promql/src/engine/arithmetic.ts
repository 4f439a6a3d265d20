// Hot: binary operators over columns of numbers.
//
// Every cell is computed, whether it holds a sample or not: a branch would cost more than the sum, and validity is
// someone else's column.

import type { BinaryOp } from '../ast.ts';

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type SetOp = 'and' | 'or' | 'unless';
export type Trim = '</' | '>/';
export type Arithmetic = Exclude<BinaryOp, Comparison | SetOp | Trim>;

/** Some consecutive cells. */
export interface Cells {
  readonly values: Float64Array;
  readonly at: number;
}

export function isComparison(op: BinaryOp): op is Comparison {
  return op === '==' || op === '!=' || op === '<' || op === '<=' || op === '>' || op === '>=';
}

export function isSetOp(op: BinaryOp): op is SetOp {
  return op === 'and' || op === 'or' || op === 'unless';
}

export function isTrim(op: BinaryOp): op is Trim {
  return op === '</' || op === '>/';
}

/** C's pow, which Go follows and JavaScript does not: 1 to any power is 1, and so is -1 to an infinite one. */
export function power(base: number, exponent: number): number {
  if (base === 1) return 1;
  if (base === -1 && (exponent === Infinity || exponent === -Infinity)) return 1;
  return base ** exponent;
}

/** Go's math.Max: an infinity wins over NaN. */
export function largest(a: number, b: number): number {
  return a === Infinity || b === Infinity ? Infinity : Math.max(a, b);
}

/** Go's math.Min: an infinity wins over NaN. */
export function smallest(a: number, b: number): number {
  return a === -Infinity || b === -Infinity ? -Infinity : Math.min(a, b);
}

/** out = l op r, for `count` cells. `out` may be either side. */
export function combine(op: Arithmetic, l: Cells, r: Cells, out: Cells, count: number): void {
  const a = l.values;
  const b = r.values;
  const c = out.values;
  const i = l.at;
  const j = r.at;
  const k = out.at;
  switch (op) {
    case '+':
      for (let n = 0; n < count; n++) c[k + n] = a[i + n]! + b[j + n]!;
      break;
    case '-':
      for (let n = 0; n < count; n++) c[k + n] = a[i + n]! - b[j + n]!;
      break;
    case '*':
      for (let n = 0; n < count; n++) c[k + n] = a[i + n]! * b[j + n]!;
      break;
    case '/':
      for (let n = 0; n < count; n++) c[k + n] = a[i + n]! / b[j + n]!;
      break;
    case '%':
      for (let n = 0; n < count; n++) c[k + n] = a[i + n]! % b[j + n]!;
      break;
    case '^':
      for (let n = 0; n < count; n++) c[k + n] = power(a[i + n]!, b[j + n]!);
      break;
    case 'atan2':
      for (let n = 0; n < count; n++) c[k + n] = Math.atan2(a[i + n]!, b[j + n]!);
      break;
  }
}

/** holds[at + n] = 1 where l op r, else 0. */
export function compare(
  op: Comparison,
  l: Cells,
  r: Cells,
  holds: Uint8Array,
  at: number,
  count: number,
): void {
  const a = l.values;
  const b = r.values;
  const i = l.at;
  const j = r.at;
  switch (op) {
    case '==':
      for (let n = 0; n < count; n++) holds[at + n] = a[i + n] === b[j + n] ? 1 : 0;
      break;
    case '!=':
      for (let n = 0; n < count; n++) holds[at + n] = a[i + n] === b[j + n] ? 0 : 1;
      break;
    case '<':
      for (let n = 0; n < count; n++) holds[at + n] = a[i + n]! < b[j + n]! ? 1 : 0;
      break;
    case '<=':
      for (let n = 0; n < count; n++) holds[at + n] = a[i + n]! <= b[j + n]! ? 1 : 0;
      break;
    case '>':
      for (let n = 0; n < count; n++) holds[at + n] = a[i + n]! > b[j + n]! ? 1 : 0;
      break;
    case '>=':
      for (let n = 0; n < count; n++) holds[at + n] = a[i + n]! >= b[j + n]! ? 1 : 0;
      break;
  }
}
