// Hot: where the buckets of native histograms end.
//
// Exponential buckets of schema s grow by 2^(2^-s). Their bounds within a power of two are built exactly as those that
// clients use, bit for bit: each schema takes every second bound from the one before.

/** The schema whose bounds are listed in the histogram (`customBounds`). */
export const CUSTOM_SCHEMA = -53;
export const SCHEMA_MIN = -4;
export const SCHEMA_MAX = 8;

const EXPONENT_MAX = 1024;
const EXPONENT_MIN = -1074;

/** By exponent, from EXPONENT_MIN on: bounds are asked for by bucket, and powers take long to make. */
const powersOfTwo = Float64Array.from(
  { length: EXPONENT_MAX - EXPONENT_MIN },
  (_, i) => 2 ** (i + EXPONENT_MIN),
);

/** The growth of schema 1, one bit below the square root of 2. */
const GROWTH_1 = Math.SQRT2 - Number.EPSILON;

const fractions: readonly Float64Array[] = makeFractions();

function makeFractions(): Float64Array[] {
  const tables = [Float64Array.of(0.5)];
  for (let schema = 1; schema <= SCHEMA_MAX; schema++) {
    const coarser = tables[schema - 1]!;
    const growth = schema === 1 ? GROWTH_1 : 2 ** (2 ** -schema);
    const table = new Float64Array(1 << schema);
    for (let i = 0; i < table.length; i++) table[i] = i % 2 === 0 ? coarser[i / 2]! : table[i - 1]! * growth;
    tables.push(table);
  }
  return tables;
}

export function isExponentialSchema(schema: number): boolean {
  return schema >= SCHEMA_MIN && schema <= SCHEMA_MAX;
}

/**
 * The upper bound of a positive bucket of an exponential schema. Bucket 0 ends at 1.
 * The last bucket of finite numbers ends at the largest one; the one after it at +Inf.
 */
export function exponentialBound(index: number, schema: number): number {
  if (schema < 0) {
    const exponent = index * 2 ** -schema;
    return exponent === EXPONENT_MAX ? Number.MAX_VALUE : powerOfTwo(exponent);
  }
  const fraction = fractions[schema]![index & ((1 << schema) - 1)]!;
  const exponent = (index >> schema) + 1;
  if (fraction === 0.5 && exponent === EXPONENT_MAX + 1) return Number.MAX_VALUE;
  return scale(fraction, exponent);
}

/** fraction · 2^exponent, in two steps where one would overflow or lose bits. */
function scale(fraction: number, exponent: number): number {
  if (exponent > 1000) return fraction * 2 ** 1000 * 2 ** (exponent - 1000);
  if (exponent < -1000) return fraction * 2 ** -1000 * 2 ** (exponent + 1000);
  return fraction * powerOfTwo(exponent);
}

function powerOfTwo(exponent: number): number {
  if (exponent < EXPONENT_MIN) return 0;
  return exponent < EXPONENT_MAX ? powersOfTwo[exponent - EXPONENT_MIN]! : Infinity;
}

/** The upper bound of bucket `index` of custom bounds; -1 is before the first one. */
export function customBound(index: number, bounds: readonly number[]): number {
  if (index < 0) return -Infinity;
  return bounds[index] ?? Infinity;
}

/** The bucket of a coarser schema that a bucket lies in. */
export function coarserIndex(index: number, schema: number, coarser: number): number {
  return ((index - 1) >> (schema - coarser)) + 1;
}
