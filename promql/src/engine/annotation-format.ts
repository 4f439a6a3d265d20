// How positions and rounded numbers are written in annotations.

import type { PositionRange } from '../ast.ts';

/** `line:column`, both from 1, of where a range of UTF-8 bytes of the query begins. */
export function positionText(query: string, pos: PositionRange): string {
  if (query === '') return 'unknown position';
  const bytes = Buffer.from(query, 'utf8');
  if (pos.start < 0 || pos.start > bytes.length) return 'invalid position';
  const before = bytes.subarray(0, pos.start);
  const line = before.reduce((count, byte) => (byte === 0x0a ? count + 1 : count), 1);
  return `${line}:${pos.start - before.lastIndexOf(0x0a)}`;
}

/** Two significant digits, as Go's %.2g writes them. */
export function formatRounded(v: number): string {
  if (!Number.isFinite(v)) return v > 0 ? '+Inf' : v < 0 ? '-Inf' : 'NaN';
  const [digits = '0', exponentText = '0'] = halfToEven(v).split('e');
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 2) return String(Number(`${digits}e${exponentText}`));
  const sign = exponent < 0 ? '-' : '+';
  return `${digits.replace('.0', '')}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** Two digits and an exponent. A tie goes to the even digit, where JavaScript's goes up. */
function halfToEven(v: number): string {
  const rounded = v.toExponential(1);
  const exact = v.toExponential(100);
  if (!/^-?\d\.\d50*e/.test(exact)) return rounded;
  const down = exact.replace(/^(-?\d\.\d)\d*/, '$1');
  return /[02468]e/.test(down) ? down : rounded;
}
