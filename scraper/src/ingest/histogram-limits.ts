// native_histogram_bucket_limit and native_histogram_min_bucket_factor: less resolution instead of more buckets. And what
// Prometheus's storage refuses of a histogram, in its words.

import { CUSTOM_SCHEMA } from '@flotilla/model';
import { floatHistogramOf, type NativeHistogram, nativeOf } from '@flotilla/tsdb';
import { ParseError } from '../parse/parse-error.ts';

export interface HistogramLimits {
  /** 0: no limit. */
  readonly histogramBuckets: number;
  /** Finer ones are made coarser. */
  readonly histogramSchemaMax: number;
}

const schemaMin = -4;
const schemaMax = 8;
/** Finer schemas that may be read, and are made coarser. */
const schemaReservedMax = 52;
/** What client libraries take for the finest resolution. */
const finestFactor = 1.00271;

/** The finest schema whose buckets grow by at least `factor` each; the finest of all for 0. */
export function schemaOfFactor(factor: number): number {
  const schema = Math.floor(-Math.log2(Math.log2(factor <= 1 ? finestFactor : factor)));
  return Math.min(schemaMax, Math.max(schemaMin, schema));
}

/** The histogram, in a coarser schema if it must be; undefined if none is coarse enough. */
export function withinLimits(
  histogram: NativeHistogram,
  limits: HistogramLimits,
): NativeHistogram | undefined {
  const { schema } = histogram;
  const isTooFine = schema > limits.histogramSchemaMax && schema <= schemaReservedMax;
  let fitting = isTooFine ? coarser(histogram, limits.histogramSchemaMax) : histogram;
  if (limits.histogramBuckets === 0) return fitting;
  while (fitting.positive.length + fitting.negative.length > limits.histogramBuckets) {
    if (fitting.schema === CUSTOM_SCHEMA || fitting.schema <= schemaMin) return undefined;
    fitting = coarser(fitting, fitting.schema - 1);
  }
  return fitting;
}

function coarser(histogram: NativeHistogram, schema: number): NativeHistogram {
  return nativeOf(floatHistogramOf(histogram).coarser(schema), histogram.isFloat);
}

/** Throws ParseError for what contradicts itself. */
export function checkHistogram(histogram: NativeHistogram): void {
  const { schema, count, zeroCount, isFloat } = histogram;
  if (schema === CUSTOM_SCHEMA) checkCustom(histogram);
  else if (schema < schemaMin || schema > schemaMax) {
    throw new ParseError(
      `histogram has an invalid schema, which must be between ${schemaMin} and ${schemaMax} for exponential buckets, or ${CUSTOM_SCHEMA} for custom buckets, got schema ${schema}`,
    );
  }
  checkBuckets('negative', histogram.negative);
  if (zeroCount < 0)
    throw new ParseError(`zero bucket has observation count of ${zeroCount}: ${negativeBucket}`);
  if (count < 0)
    throw new ParseError(`observation count is  ${count}: histogram's observation count is negative`);
  checkBuckets('positive', histogram.positive);
  if (!isFloat) checkCount(histogram);
}

const negativeBucket = 'histogram has a bucket whose observation count is negative';

function checkBuckets(side: 'positive' | 'negative', counts: Float64Array): void {
  const at = counts.findIndex((count) => count < 0);
  if (at < 0) return;
  throw new ParseError(
    `${side} side: bucket number ${at + 1} has observation count of ${counts[at]}: ${negativeBucket}`,
  );
}

function checkCustom({
  positiveSpans,
  customBounds,
  zeroCount,
  zeroThreshold,
  negativeSpans,
}: NativeHistogram): void {
  const reach = positiveSpans.reduce((sum, { offset, length }) => sum + offset + length, 0);
  if (customBounds.length + 1 < reach) {
    throw new ParseError(
      `custom buckets: only ${customBounds.length} custom bounds defined which is insufficient to cover total span length of ${reach}: histogram custom bounds are too few`,
    );
  }
  if (zeroCount !== 0) throw new ParseError('custom buckets: must have zero count of 0');
  if (zeroThreshold !== 0) throw new ParseError('custom buckets: must have zero threshold of 0');
  if (negativeSpans.length > 0) throw new ParseError('custom buckets: must not have negative spans');
}

function checkCount({ positive, negative, zeroCount, count, sum }: NativeHistogram): void {
  const add = (total: number, one: number): number => total + one;
  const found = positive.reduce(add, 0) + negative.reduce(add, 0) + zeroCount;
  if (Number.isNaN(sum) ? found <= count : found === count) return;
  const rule = Number.isNaN(sum)
    ? 'should be at least the number of observations found in the buckets'
    : 'should equal the number of observations found in the buckets (in absence of NaN)';
  throw new ParseError(
    `${found} observations found in buckets, but the Count field is ${count}: histogram's observation count ${rule}`,
  );
}
