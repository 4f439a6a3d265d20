// A native histogram of the exposition's protobuf as the store's.

import { countsOfDeltas } from '@flotilla/model';
import { floatHistogramOf, type NativeHistogram, nativeOf } from '@flotilla/tsdb';
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
  const sample = {
    schema: exposed.schema,
    zeroThreshold: exposed.zeroThreshold,
    customBounds: NO_BOUNDS,
    hint: isGauge ? ('gauge' as const) : ('unknown' as const),
    count: isFloat ? exposed.sampleCountFloat : exposed.sampleCount,
    zeroCount: isFloat ? exposed.zeroCountFloat : exposed.zeroCount,
    // A stale marker is ours to write.
    sum: Number.isNaN(exposed.sampleSum) ? NaN : exposed.sampleSum,
    positiveSpans: exposed.positiveSpan,
    negativeSpans: exposed.negativeSpan,
    positive: isFloat ? positive : countsOfDeltas(positive),
    negative: isFloat ? negative : countsOfDeltas(negative),
    isFloat,
    isStale: false,
  };
  return isCompact(sample) ? sample : nativeOf(floatHistogramOf(sample).compact(), isFloat);
}

const NO_BOUNDS: readonly number[] = [];

/** Whether it is as a compact one is written: no empty buckets, and spans with something between them. The rule, not the exception. */
function isCompact({ positive, negative, positiveSpans, negativeSpans }: NativeHistogram): boolean {
  return !positive.includes(0) && !negative.includes(0) && areApart(positiveSpans) && areApart(negativeSpans);
}

function areApart(spans: readonly ExposedSpan[]): boolean {
  return spans.every(({ offset, length }, i) => length > 0 && (i === 0 || offset > 0));
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
