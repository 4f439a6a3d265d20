// The value of a number token. Numbers are Go's: `0x1F`, `0755` is octal, `_` separates digits, `Inf` and `NaN` in any case.

import { goQuote } from '@flotilla/model';

const INTEGER = /^(?:0[xX](?:_?[0-9a-fA-F])+|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)$/;
const OCTAL = /^0_?[0-7]/;
const FLOAT = /^(?:[0-9](?:_?[0-9])*)?\.?(?:[0-9](?:_?[0-9])*)?(?:[eE][+-]?[0-9](?:_?[0-9])*)?$/;
const INTEGER_MAX = 2n ** 63n - 1n;

function parseInteger(text: string): number | undefined {
  if (!INTEGER.test(text)) return undefined;
  const digits = text.replaceAll('_', '');
  const value = BigInt(OCTAL.test(text) ? `0o${digits.slice(1)}` : digits);
  return value > INTEGER_MAX ? undefined : Number(value);
}

function parseFloatText(text: string): number | undefined {
  const lower = text.toLowerCase();
  if (lower === 'inf') return Infinity;
  if (lower === 'nan') return Number.NaN;
  return FLOAT.test(text) && /[0-9]/.test(text) ? Number(text.replaceAll('_', '')) : undefined;
}

/** Throws RangeError with the text of Go's ParseFloat. */
export function parseNumber(text: string): number {
  const integer = parseInteger(text);
  if (integer !== undefined) return integer;
  const value = parseFloatText(text);
  const overflows = value === Infinity && /[0-9]/.test(text);
  if (value !== undefined && !overflows) return value;
  const reason = overflows ? 'value out of range' : 'invalid syntax';
  throw new RangeError(`strconv.ParseFloat: parsing ${goQuote(text)}: ${reason}`);
}
