// What Prometheus's storage refuses of a native histogram, in its words.

import { CUSTOM_SCHEMA } from '@flotilla/model';
import type { NativeHistogram } from '@flotilla/tsdb';
import { ParseError } from './parse-error.ts';

/** Exponential schemas that are stored. */
export const schemaMin = -4;
export const schemaMax = 8;

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

function checkBuckets(side: 'positive' | 'negative', counts: readonly number[]): void {
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
