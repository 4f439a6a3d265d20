// A native histogram of the exposition's protobuf as the store's.

import { bucketsOfSpans, countsOfDeltas, FloatHistogram } from '@flotilla/model';
import { type NativeHistogram, nativeOf } from '@flotilla/tsdb';
import type { ExposedHistogram, ExposedSpan } from '@flotilla/wire';
import { ParseError } from './parse-error.ts';

/** Far beyond the buckets that any float falls into, and whatever is added to it is an integer of 32 bits. */
const indexMax = 2 ** 30;

/** What has neither spans nor a zero bucket is taken for a classic one: clients write an empty span to say otherwise. */
export function isNativeHistogram({
  positiveSpan,
  negativeSpan,
  zeroThreshold,
  zeroCount,
}: ExposedHistogram): boolean {
  return positiveSpan.length > 0 || negativeSpan.length > 0 || zeroThreshold > 0 || zeroCount > 0;
}

/** Without empty buckets. Throws ParseError if spans and buckets do not fit. */
export function nativeHistogramOf(exposed: ExposedHistogram, isGauge: boolean): NativeHistogram {
  const isFloat = exposed.sampleCountFloat > 0 || exposed.zeroCountFloat > 0;
  const [positive, negative] = isFloat
    ? [exposed.positiveCount, exposed.negativeCount]
    : [exposed.positiveDelta, exposed.negativeDelta];
  checkSpans('positive', exposed.positiveSpan, positive.length);
  checkSpans('negative', exposed.negativeSpan, negative.length);
  const counts = (values: readonly number[]): ArrayLike<number> =>
    isFloat ? values : countsOfDeltas(values);
  const histogram = new FloatHistogram({
    hint: isGauge ? 'gauge' : 'unknown',
    schema: exposed.schema,
    count: isFloat ? exposed.sampleCountFloat : exposed.sampleCount,
    // A stale marker is ours to write.
    sum: Number.isNaN(exposed.sampleSum) ? NaN : exposed.sampleSum,
    zeroThreshold: exposed.zeroThreshold,
    zeroCount: isFloat ? exposed.zeroCountFloat : exposed.zeroCount,
    positive: bucketsOfSpans(exposed.positiveSpan, counts(positive)),
    negative: bucketsOfSpans(exposed.negativeSpan, counts(negative)),
  });
  return nativeOf(histogram.compact(), isFloat);
}

function checkSpans(side: 'positive' | 'negative', spans: readonly ExposedSpan[], buckets: number): void {
  let total = 0;
  for (const { length } of spans) total += length;
  if (total !== buckets)
    throw new ParseError(`${side} side: spans require ${total} buckets, have ${buckets}`);
  let index = 0;
  spans.forEach(({ offset, length }, i) => {
    index += offset + length;
    if (Math.abs(index) > indexMax)
      throw new ParseError(`${side} side: bucket index ${index}, want at most ${indexMax}`);
    if (i > 0 && offset < 0)
      throw new ParseError(
        `${side} side: span number ${i + 1} with offset ${offset}: histogram has a span whose offset is negative`,
      );
  });
}
