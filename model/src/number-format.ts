// Numbers as Go's strconv prints and parses them. Both languages print the shortest digits that read back as the same
// number, so only layout differs: JavaScript switches to an exponent below 1e-6 and from 1e21, and pads none.

/** strconv 'f', -1: never an exponent. `+Inf`, `-Inf`, `NaN`, `-0`. */
export function formatFloat(v: number): string {
  const special = formatSpecial(v);
  if (special !== undefined) return special;
  const text = String(v);
  return text.includes('e') ? expandExponent(text) : text;
}

/** A sample value as Prometheus's JSON has it: like formatFloat, with an exponent below 1e-6 and from 1e21. */
export function formatSampleValue(v: number): string {
  const size = Math.abs(v);
  if (size >= 1e-6 && size < 1e21) return String(v); // Nearly always; the rest of this is slow.
  return formatSpecial(v) ?? padExponent(String(v));
}

/** strconv 'g', -1, what `%v` prints: an exponent below 1e-4 and from 1e+06. */
export function formatGoG(v: number): string {
  const special = formatSpecial(v);
  if (special !== undefined) return special;
  const text = v.toExponential();
  const exponent = Number(text.slice(text.indexOf('e') + 1));
  return exponent < -4 || exponent >= 6 ? padExponent(text) : formatFloat(v);
}

function formatSpecial(v: number): string | undefined {
  if (Number.isNaN(v)) return 'NaN';
  if (v === Infinity) return '+Inf';
  if (v === -Infinity) return '-Inf';
  return Object.is(v, -0) ? '-0' : undefined;
}

/** Go writes at least two digits of exponent: 1e-7 → 1e-07. */
function padExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

/** -1.5e-7 → -0.00000015, 1e+21 → 1000000000000000000000. */
function expandExponent(text: string): string {
  const [, sign, whole, fraction = '', exponentText] = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text)!;
  const exponent = Number(exponentText);
  const digits = whole! + fraction;
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const zeros = exponent - fraction.length;
  return zeros >= 0
    ? sign + digits + '0'.repeat(zeros)
    : `${sign}${digits.slice(0, zeros)}.${digits.slice(zeros)}`;
}

/** strconv.ParseFloat without underscores. undefined for what Go refuses, numbers out of range included. */
export function parseGoFloat(s: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(s)) return inRange(Number(s));
  if (/^[+-]?inf(inity)?$/i.test(s)) return s.startsWith('-') ? -Infinity : Infinity;
  if (/^nan$/i.test(s)) return NaN;
  const hex = /^([+-]?)0x(?=\.?[0-9a-f])([0-9a-f]*)\.?([0-9a-f]*)p([+-]?\d+)$/i.exec(s);
  if (hex === null) return undefined;
  const [, sign, whole, fraction, exponent] = hex;
  const magnitude = scale(BigInt(`0x${whole}${fraction}`), Number(exponent) - 4 * fraction!.length);
  return inRange(sign === '-' ? -magnitude : magnitude);
}

function inRange(v: number): number | undefined {
  return Number.isFinite(v) ? v : undefined;
}

/** mantissa × 2^exponent, rounded once, half to even. */
function scale(mantissa: bigint, exponent: number): number {
  if (mantissa === 0n) return 0;
  const bits = mantissa.toString(2).length;
  if (bits + exponent > 1024) return Infinity;
  if (bits + exponent < -1075) return 0;
  // The last bit that the result can hold: 53 bits below its first, but none below 2^-1074.
  const drop = Math.max(bits - 53, -1074 - exponent, 0);
  const kept = Number(roundShift(mantissa, BigInt(drop)));
  return timesPowerOfTwo(kept, exponent + drop);
}

/** Exact when the result is a number; in two steps, since 2^-1074 × 2^… and 2^1023 × … leave the range of one. */
function timesPowerOfTwo(v: number, power: number): number {
  const half = Math.trunc(power / 2);
  return v * 2 ** half * 2 ** (power - half);
}

function roundShift(n: bigint, by: bigint): bigint {
  if (by === 0n) return n;
  const floor = n >> by;
  const twice = (n - (floor << by)) * 2n;
  const unit = 1n << by;
  const up = twice > unit || (twice === unit && (floor & 1n) === 1n);
  return up ? floor + 1n : floor;
}
