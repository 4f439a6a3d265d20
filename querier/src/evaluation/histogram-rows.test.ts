import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { bucketsOfSpans, CUSTOM_SCHEMA, FloatHistogram, histogramToJson, Labels } from '@flotilla/model';
import type { BucketList } from '@flotilla/model';
import { JsonWriter } from '@flotilla/promql';
import type { HistogramPoint, QueryResult } from '@flotilla/promql';
import { gunzipSync } from 'node:zlib';
import { writeQueryData } from './query-json.ts';

const notes = { warnings: [], infos: [], stats: { evalMs: 1, samples: 0, peakSamples: 0 } };

function write(gzip: boolean, result: QueryResult): string {
  const writer = new JsonWriter(gzip);
  const parts: Uint8Array[] = [];
  for (const _ of writeQueryData(writer, result)) parts.push(writer.take());
  parts.push(writer.end());
  const all = Buffer.concat(parts);
  return (gzip ? gunzipSync(all) : all).toString();
}

function pointText({ timeMs, histogram }: HistogramPoint): string {
  return `[${timeMs / 1000},${JSON.stringify(histogramToJson(histogram))}]`;
}

/**
 * The same as text and through gzip, as a matrix of rows, of which every second has a float too, and as a vector of the
 * first of each row.
 */
function check(rows: readonly (readonly FloatHistogram[])[]): void {
  const series = rows.map((row, i) => ({
    labels: Labels.fromRecord({ row: String(i) }),
    timestampsMs: new Float64Array(i % 2).fill(1500),
    values: new Float64Array(i % 2).fill(i),
    histograms: row.map((histogram, k) => ({ timeMs: k * 1000, histogram })),
  }));
  const metrics = series.map(
    (_, i) => `{"metric":{"row":"${i}"}${i % 2 === 0 ? '' : `,"values":[[1.500,"${i}"]]`}`,
  );
  const list = series.map(
    ({ histograms }, i) => `${metrics[i]},"histograms":[${histograms.map(pointText).join(',')}]}`,
  );
  checkResult({ type: 'matrix', series, ...notes }, `{"resultType":"matrix","result":[${list.join(',')}]}`);
  const samples = series.map(({ labels, histograms }) => ({ labels, value: 0, ...histograms[0]! }));
  const firsts = samples.map((sample, i) => `{"metric":{"row":"${i}"},"histogram":${pointText(sample)}}`);
  checkResult(
    { type: 'vector', series: samples, ...notes },
    `{"resultType":"vector","result":[${firsts.join(',')}]}`,
  );
}

function checkResult(result: QueryResult, want: string): void {
  for (const gzip of [false, true]) {
    const text = write(gzip, result);
    // Where long texts differ is all that a reader of the failure wants.
    let at = 0;
    while (at < want.length && text[at] === want[at]) at++;
    expect(text.slice(Math.max(0, at - 80), at + 80)).toBe(want.slice(Math.max(0, at - 80), at + 80));
  }
}

function listOf(indexes: readonly number[], countOf: (index: number) => number): BucketList {
  const spans = indexes.map((index, i) => ({ offset: index - (indexes[i - 1] ?? -1) - 1, length: 1 }));
  return bucketsOfSpans(
    spans,
    indexes.map((index) => countOf(index)),
  );
}

const count = fc.oneof(fc.constantFrom(0, 1, 7, 123_456, -0, -1.5, NaN, Infinity), fc.nat(), fc.double());
const side = fc
  .dictionary(fc.integer({ min: -30, max: 30 }).map(String), count, { maxKeys: 30 })
  .map((buckets) => {
    const indexes = Object.keys(buckets)
      .map(Number)
      .toSorted((a, b) => a - b);
    return listOf(indexes, (index) => buckets[index]!);
  });
const totals = { count, sum: fc.double(), zeroCount: count };
const exponential = fc.record({
  ...totals,
  schema: fc.integer({ min: -4, max: 8 }),
  zeroThreshold: fc.constantFrom(0, 2 ** -128, 0.1, 3),
  positive: side,
  negative: side,
});
const bounds = fc.uniqueArray(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 10 });
const custom = fc.tuple(bounds, fc.array(count, { maxLength: 11 })).map(([values, counts]) => ({
  schema: CUSTOM_SCHEMA,
  customBounds: values.toSorted((a, b) => a - b),
  positive: listOf([...counts.keys()].slice(0, values.length + 1), (index) => counts[index]!),
}));
const histogram = fc
  .oneof(exponential, custom, fc.record(totals))
  .map((fields) => new FloatHistogram(fields));

describe('HistogramRows', () => {
  test('writes any histograms as the model tells them', () => {
    const row = fc.array(histogram, { minLength: 1, maxLength: 8 });
    fc.assert(fc.property(fc.array(row, { maxLength: 6 }), (rows) => check(rows)));
  });

  test('writes rows whose buckets come and go', () => {
    const indexes = Array.from({ length: 40 }, (_, i) => i - 20);
    const row = Array.from({ length: 100 }, (_, k) => {
      const shown = indexes.filter((index) => (index + k) % 11 < 9 - (k % 3));
      const negative = k % 5 === 0 ? listOf([1, 2], () => k) : listOf([], () => 0);
      const positive = listOf(shown, (index) => k * (index & 3));
      return new FloatHistogram({
        schema: 2 + (k & 16) / 16,
        zeroThreshold: 0.25,
        zeroCount: k & 1,
        positive,
        negative,
      });
    });
    check([row, row.toReversed()]);
  });

  test('writes more buckets than the writer has numbers for', () => {
    const many = Array.from({ length: 5000 }, (_, i) => i - 2500);
    const wide = (scale: number): FloatHistogram =>
      new FloatHistogram({
        schema: 8,
        zeroCount: scale,
        positive: listOf(many, (index) => (index % 5) * scale),
        negative: listOf(many, (index) => (index % 3) * scale),
      });
    const narrow = new FloatHistogram({ schema: 8, positive: listOf([1, 2, 3], () => 4) });
    check([
      [wide(1), narrow, narrow, wide(1 / 3), wide(1 / 3)],
      [narrow, wide(1)],
    ]);
  });

  test('writes more layouts than the writer has numbers for', () => {
    const row = Array.from(
      { length: 600 },
      (_, i) =>
        new FloatHistogram({
          schema: CUSTOM_SCHEMA,
          customBounds: [i % 300, (i % 300) + 0.5, 1000, 2000],
          positive: listOf([0, 1, 2, 3, 4], (index) => index + 1),
        }),
    );
    check([row, row]);
  });

  test('sends a long row in pieces', () => {
    const positive = listOf(
      Array.from({ length: 160 }, (_, i) => i),
      (index) => index + 0.5,
    );
    const one = new FloatHistogram({ schema: 3, count: 1, sum: 2, positive });
    const histograms = Array.from({ length: 500 }, (_, k) => ({
      timeMs: k,
      histogram: one.times(1 + k / 7),
    }));
    const empty = { timestampsMs: new Float64Array(0), values: new Float64Array(0) };
    const series = [{ labels: Labels.EMPTY, ...empty, histograms }];
    const writer = new JsonWriter(false);
    const sizes: number[] = [];
    for (const _ of writeQueryData(writer, { type: 'matrix', series, ...notes }))
      sizes.push(writer.take().length);
    sizes.push(writer.end().length);
    expect(sizes.length).toBeGreaterThan(10);
    expect(Math.max(...sizes)).toBeLessThan(300 << 10);
  });
});
