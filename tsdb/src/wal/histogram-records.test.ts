import { expect, test } from '@jest/globals';
import { HeadKernel } from '@flotilla/kernel';
import * as fc from 'fast-check';
import { bucketCount, type NativeHistogram } from '../histogram/native-histogram.ts';
import { sharedLayout } from '../histogram/shared-layout.ts';
import { encodeHistograms, hintCode, type RefHistogram } from './histogram-records.ts';

const counts = fc.oneof(fc.nat(300), fc.nat(2 ** 51));
const spans = fc.array(fc.record({ offset: fc.nat(300), length: fc.nat(9) }), { maxLength: 4 });
const samples: fc.Arbitrary<RefHistogram[]> = fc.array(
  fc.record({
    ref: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    timeMs: fc.integer({ min: -(2 ** 50), max: 2 ** 50 }),
    histogram: fc.tuple(spans, spans).chain(([positiveSpans, negativeSpans]) =>
      fc.record<NativeHistogram>({
        schema: fc.integer({ min: -4, max: 8 }),
        zeroThreshold: fc.constantFrom(0, 0.001, 2 ** -128),
        positiveSpans: fc.constant(positiveSpans),
        negativeSpans: fc.constant(negativeSpans),
        customBounds: fc.constant([]),
        isFloat: fc.constant(false),
        isStale: fc.constant(false),
        hint: fc.constantFrom('unknown', 'reset', 'not_reset', 'gauge'),
        count: counts,
        zeroCount: counts,
        sum: fc.double(),
        positive: exactly(bucketCount(positiveSpans)),
        negative: exactly(bucketCount(negativeSpans)),
      }),
    ),
  }),
  { minLength: 1, maxLength: 12 },
);

function exactly(length: number): fc.Arbitrary<number[]> {
  return fc.array(counts, { minLength: length, maxLength: length });
}

test('the kernel writes the bytes of the records that are written without it', () => {
  const kernel = new HeadKernel(() => undefined);
  const { histogramRecord } = kernel;
  const framesOf = (frame: () => void): string => {
    kernel.beginFrames(false);
    frame();
    return Buffer.from(kernel.frames()).toString('hex');
  };
  const property = fc.property(samples, (list) => {
    const want = framesOf(() => {
      for (const record of encodeHistograms(list)) kernel.frameRecord(record, 0);
    });
    const got = framesOf(() => {
      histogramRecord.clear();
      for (const { ref, timeMs, histogram } of list)
        histogramRecord.add(ref, timeMs, hintCode(histogram.hint), sharedLayout(histogram), histogram);
      histogramRecord.frame(0);
    });
    expect(got).toBe(want);
  });
  fc.assert(property, { seed: 2, numRuns: 300 });
  histogramRecord.clear();
  expect(framesOf(() => histogramRecord.frame(0))).toBe('');
});
