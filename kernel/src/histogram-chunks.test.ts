import { describe, expect, test } from '@jest/globals';
import { appendFate, type EncodedLayout, HistogramChunks } from './histogram-chunks.ts';
import { type HistogramNumbers, HistogramRow } from './histogram-row.ts';
import { KernelInstance } from './instance.ts';

const GUARD_BYTES = 4096;

/** Schema 0, no threshold, one span of so many buckets at 0: what the decoder wants of a layout. */
function layoutOf(buckets: number): EncodedLayout {
  // Threshold 0 in 8 bits, schema 0, one span (10 001), its length of 18 bits (111110 …), offset 0, no negative spans.
  const text = `00000000010001111110${buckets.toString(2).padStart(18, '0')}00`;
  const bytes = text.padEnd(Math.ceil(text.length / 8) * 8, '0').match(/.{8}/g)!;
  return {
    bytes: Uint8Array.from(bytes, (byte) => parseInt(byte, 2)),
    bits: text.length,
    logged: new Uint8Array(0),
    loggedSplit: 0,
    positiveBuckets: buckets,
    negativeBuckets: 0,
  };
}

function sampleOf(buckets: number, value: (i: number) => number): HistogramNumbers {
  const positive = Array.from({ length: buckets }, (_, i) => value(i));
  return { isStale: false, count: value(0), zeroCount: value(1), sum: value(2), positive, negative: [] };
}

/** A double of 64 bits of which both ends are ones, or none. */
function ragged(n: number): number {
  const words = Uint32Array.of(1 + Math.imul(n, 0x9e3779b1) * 2, 0x3fffffff ^ (n * 0x1234567));
  return n % 2 === 0 ? 0 : new Float64Array(words.buffer)[0]!;
}

describe('an open histogram chunk', () => {
  /** Memory that the kernel takes later lies behind what a sample of these buckets needs, and stays as it is. */
  function check(buckets: number, isFloat: boolean, value: (n: number, i: number) => number): void {
    const kernel = new KernelInstance();
    const chunks = new HistogramChunks(kernel, new HistogramRow(kernel));
    const layout = layoutOf(buckets);
    kernel.exports.histogramScratch(layout.bytes.length, 2 + buckets);
    const guards = [kernel.exports.alloc(GUARD_BYTES) >>> 0];
    kernel.exports.histogramRow(2 + buckets);
    guards.push(kernel.exports.alloc(GUARD_BYTES) >>> 0);
    for (const at of guards) kernel.bytes.fill(0xa5, at, at + GUARD_BYTES);
    const sample = (n: number): HistogramNumbers => sampleOf(buckets, (i) => value(n, i));
    const chunk = chunks.begin(layout, isFloat, 0xc0, 0, sample(0));
    for (let n = 1; n < 40; n++)
      chunks.push(chunk, n % 2 === 0 ? n * 2 ** 47 : n * 2 ** 47 - 2 ** 46, sample(n));
    expect(chunks.samples(chunk)).toBe(40);
    expect(chunks.last(chunk)).toEqual(sample(39));
    for (const at of guards)
      expect(kernel.bytes.subarray(at, at + GUARD_BYTES).every((byte) => byte === 0xa5)).toBe(true);
    const data = chunks.copy(chunk);
    expect(data.length).toBeGreaterThan(40 * 8 * buckets);
    chunks.free(chunk);
  }

  test.each([1, 2, 23, 24, 160, 5000])(
    'of %d buckets stays within its memory with the longest samples',
    (n) => {
      const most = Number.MAX_SAFE_INTEGER;
      check(n, false, (sample, i) => ((sample + i) % 2 === 0 ? 0 : most));
      check(n, true, (sample, i) => ragged(sample * 7 + i));
    },
  );

  test('tells counters that went down, and a chunk that is full, and leaves it as it was', () => {
    const kernel = new KernelInstance();
    const chunks = new HistogramChunks(kernel, new HistogramRow(kernel));
    const layout = layoutOf(30);
    const grown = (n: number): HistogramNumbers => sampleOf(30, (i) => (n * (i + 3)) ** 4);
    const chunk = chunks.begin(layout, false, 0, 0, grown(1));
    const before = chunks.copy(chunk);
    const down: Partial<HistogramNumbers>[] = [{ count: 0 }, { zeroCount: 0 }];
    for (let i = 0; i < 30; i++)
      down.push({ positive: grown(2).positive.map((n, at) => (at === i ? 1 : n)) });
    for (const less of down)
      expect(chunks.append(chunk, 1, { ...grown(2), ...less }, true, 0)).toBe(appendFate.wentDown);
    expect(chunks.append(chunk, 1, grown(2), true, 1)).toBe(appendFate.full);
    expect(chunks.copy(chunk)).toEqual(before);
    let n = 1;
    while (chunks.append(chunk, n, grown(n + 1), true, 0) === appendFate.appended) n++;
    expect(n).toBeGreaterThanOrEqual(10);
    expect(chunks.samples(chunk)).toBe(n);
    expect(chunks.copy(chunk).length).toBeGreaterThanOrEqual(1024);
    expect(chunks.append(chunk, n, { ...grown(1) }, false, 0)).toBe(appendFate.full);
    chunks.free(chunk);
  });
});
