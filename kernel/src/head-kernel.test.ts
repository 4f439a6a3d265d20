import { describe, expect, test } from '@jest/globals';
import { array, assert, constantFrom, double, integer, property, record } from 'fast-check';
import { openExtent } from './chunk-gather.ts';
import { unpackChunks } from './chunk-list.ts';
import { decodeXor } from './decode-xor.ts';
import { HeadKernel } from './head-kernel.ts';

const OK = 0;
const OUT_OF_ORDER = 1;
const DUPLICATE = 2;
const UNKNOWN_REF = 5;

function makeKernel(refs: readonly number[]): HeadKernel {
  const kernel = new HeadKernel(() => {});
  for (const ref of refs) kernel.createSeries(ref);
  return kernel;
}

function stage(
  kernel: HeadKernel,
  stageNumber: number,
  timeMs: number,
  samples: [ref: number, value: number][],
): number[] {
  const refs = Uint32Array.from(samples, ([ref]) => ref);
  const values = Float64Array.from(samples, ([, value]) => value);
  const codes = new Uint8Array(samples.length);
  kernel.stage(stageNumber, refs, values, samples.length, timeMs, codes);
  return [...codes];
}

function samplesOf(kernel: HeadKernel, ref: number): [number, number][] {
  const times = new Float64Array(200);
  const values = new Float64Array(200);
  const chunk = kernel.copyOpen(ref);
  const count = chunk.length === 0 ? 0 : decodeXor(chunk, times, values);
  return Array.from({ length: count }, (_, i) => [times[i]!, values[i]!]);
}

describe('stage', () => {
  test('tells what becomes of each sample', () => {
    const kernel = makeKernel([1, 2]);
    expect(
      stage(kernel, 1, 10, [
        [1, 5],
        [3, 5],
        [2, 6],
      ]),
    ).toEqual([OK, UNKNOWN_REF, OK]);
    kernel.apply(1, 0, 1e6);
    expect(
      stage(kernel, 1, 10, [
        [1, 5],
        [1, 7],
      ]),
    ).toEqual([OK, DUPLICATE]);
    expect(stage(kernel, 1, 9, [[1, 5]])).toEqual([OUT_OF_ORDER]);
    expect(
      stage(kernel, 1, 11, [
        [1, 5],
        [1, 5],
        [1, 6],
      ]),
    ).toEqual([OK, OK, DUPLICATE]);
    expect(stage(kernel, 1, 10, [[1, 5]])).toEqual([OUT_OF_ORDER]);
    expect(kernel.stagedCount(1)).toBe(1);
    kernel.apply(1, 0, 1e6);
    expect(samplesOf(kernel, 1)).toEqual([
      [10, 5],
      [11, 5],
    ]);
  });

  test('shows nothing before apply, and nothing after discard', () => {
    const kernel = makeKernel([1]);
    stage(kernel, 1, 10, [[1, 5]]);
    expect(samplesOf(kernel, 1)).toEqual([]);
    expect(kernel.isIdle(1)).toBe(false);
    kernel.discard(1);
    expect(kernel.isIdle(1)).toBe(true);
    expect(stage(kernel, 1, 10, [[1, 6]])).toEqual([OK]);
    kernel.apply(1, 0, 1e6);
    expect(samplesOf(kernel, 1)).toEqual([[10, 6]]);
  });

  test('keeps order when two transactions cross', () => {
    const kernel = makeKernel([1]);
    stage(kernel, 1, 10, [[1, 1]]);
    stage(kernel, 2, 20, [[1, 2]]);
    expect(kernel.apply(2, 0, 1e6)).toBe(1);
    expect(kernel.apply(1, 0, 1e6)).toBe(0);
    expect(samplesOf(kernel, 1)).toEqual([[20, 2]]);
  });

  test('leaves out what became too old, and series that are gone', () => {
    const kernel = makeKernel([1, 2]);
    stage(kernel, 1, 10, [
      [1, 1],
      [2, 1],
    ]);
    kernel.deleteSeries(2);
    expect(kernel.apply(1, 11, 1e6)).toBe(0);
  });

  test('takes more samples than its input buffer', () => {
    const count = 150_000;
    const refs = Uint32Array.from({ length: count }, (_, i) => i + 1);
    const kernel = makeKernel([...refs]);
    const codes = new Uint8Array(count);
    expect(kernel.stage(1, refs, new Float64Array(count).fill(3), count, 5, codes)).toBe(count);
    expect(kernel.apply(1, 0, 1e6)).toBe(count);
    expect(samplesOf(kernel, count)).toEqual([[5, 3]]);
  });
});

test('a slot that is used again does not answer to the old ref', () => {
  const kernel = makeKernel([7]);
  stage(kernel, 1, 10, [[7, 1]]);
  kernel.apply(1, 0, 1e6);
  kernel.deleteSeries(7);
  const again = 7 + (1 << 24);
  kernel.createSeries(again);
  expect(
    stage(kernel, 1, 20, [
      [7, 1],
      [again, 2],
    ]),
  ).toEqual([UNKNOWN_REF, OK]);
  kernel.apply(1, 0, 1e6);
  expect(samplesOf(kernel, again)).toEqual([[20, 2]]);
  expect(samplesOf(kernel, 7)).toEqual([]);
});

test('sealed chunks and the open one are all samples, for series that began together', () => {
  const sealed = new Map<number, number>();
  const firstCuts = new Set<number>();
  const kernel = new HeadKernel((ref, samples) => {
    if (!sealed.has(ref)) firstCuts.add(samples);
    sealed.set(ref, (sealed.get(ref) ?? 0) + samples);
  });
  const refs = Uint32Array.from({ length: 300 }, (_, i) => i + 1);
  for (const ref of refs) kernel.createSeries(ref);
  for (let i = 0; i < 400; i++) {
    kernel.stage(
      1,
      refs,
      new Float64Array(300).map((_, k) => k * i),
      300,
      i * 15_000,
    );
    kernel.apply(1, 0, 1e12);
  }
  for (const ref of refs) expect((sealed.get(ref) ?? 0) + kernel.openSamples(ref)).toBe(400);
  expect(firstCuts.size).toBeGreaterThan(30);
});

test('records of any size are framed, also when memory grows for them', () => {
  const kernel = new HeadKernel(() => {});
  for (const size of [1, 100_000, 5_000_000, 40_000_000]) {
    kernel.beginFrames(false);
    kernel.frameRecord(new Uint8Array(size).fill(7), 0);
    expect(kernel.frames().length).toBeGreaterThan(size);
  }
});

describe('saved series', () => {
  test('go on in another kernel as if nothing had been', () => {
    const sealed: [Uint8Array[], Uint8Array[]] = [[], []];
    const [a, b] = sealed.map(
      (out) => new HeadKernel((_ref, _n, _min, _max, data) => out.push(data.slice())),
    );
    const refs = Uint32Array.from({ length: 3000 }, (_, i) => (i + 1) | ((i % 7) << 24));
    for (const ref of refs) a!.createSeries(ref);
    a!.deleteSeries(refs[17]!);
    const live = refs.filter((ref) => ref !== refs[17]);
    const append = (kernel: HeadKernel, step: number): void => {
      const values = Float64Array.from(live, (ref) =>
        step % ((ref & 31) + 1) === 0 ? Math.sin(step * ref) : 1,
      );
      kernel.stage(1, live, values, live.length, 1.7e12 + step * 5000 + (step % 9 === 0 ? 3 : 0));
      kernel.apply(1, 0, 2 ** 30);
    };
    for (let step = 0; step < 100; step++) append(a!, step);
    sealed[0].length = 0;
    stage(a!, 2, 1.8e12, [[1, 1]]); // An open transaction is not saved.
    let pieces = 0;
    a!.saveSeries(3001, (image) => {
      pieces++;
      expect(b!.loadSeries(image)).toBe(true);
    });
    a!.discard(2);
    expect(pieces).toBeGreaterThan(1);
    for (let step = 100; step < 200; step++) for (const kernel of [a!, b!]) append(kernel, step);
    for (const ref of live) expect(b!.copyOpen(ref)).toEqual(a!.copyOpen(ref));
    expect(sealed[1]).toEqual(sealed[0]);
    expect(b!.openSamples(refs[17]!)).toBe(0);
    expect(b!.loadSeries(new Uint8Array(10))).toBe(false);
  });
});

test('lists of open chunks have what their extent says, and those of other series are empty', () => {
  const value = constantFrom(0, 1, -1, Number.NaN, 1e300, 5e-324, 0.1);
  const sample = record({
    afterMs: constantFrom(1, 15_000, 15_001, 400_000),
    value: integer({ max: 1 }).chain((kind) => (kind > 0 ? double() : value)),
  });
  const series = array(sample, { maxLength: 119 });
  const range = record({ from: integer({ min: -1, max: 130 }), length: integer({ min: 0, max: 130 }) });
  assert(
    property(array(series, { minLength: 1, maxLength: 8 }), range, (all, { from, length }) => {
      const kernel = makeKernel(all.map((_, i) => i + 1));
      const samples = all.map((gaps, i) => {
        let timeMs = 1000;
        for (const { afterMs, value: next } of gaps) {
          stage(kernel, 1, (timeMs += afterMs), [[i + 1, next]]);
          kernel.apply(1, 0, 1e12);
        }
        return samplesOf(kernel, i + 1);
      });
      const longest = samples.toSorted((a, b) => b.length - a.length)[0]!;
      const minTimeMs = longest[from]?.[0] ?? from * 1000;
      const maxTimeMs = longest[from + length]?.[0] ?? minTimeMs + length * 1000;
      const gather = kernel.newGather(64 << 10);
      for (const extent of Object.values(openExtent)) {
        gather.cut(0);
        const [begins, ends] = [new Uint32Array(8), new Uint32Array(8)];
        const refs = Uint32Array.from(samples, (_, i) => i + 1);
        gather.addOpenLists(refs, minTimeMs, maxTimeMs, extent, begins, ends, 0);
        for (const [i, own] of samples.entries()) {
          const lists = unpackChunks(gather.bytes(begins[i]!, ends[i]!));
          const listed = lists.flatMap((chunk) => decoded(chunk.data));
          const isIn = ([timeMs]: [number, number]) => timeMs >= minTimeMs && timeMs <= maxTimeMs;
          const [first, last] = [own[0]?.[0] ?? Infinity, own.at(-1)?.[0] ?? -Infinity];
          const isNewest = extent === openExtent.newest && isIn([last, 0]);
          if (last < minTimeMs || (first > minTimeMs && !isNewest)) {
            expect(listed).toEqual([]);
            continue;
          }
          expect(gather.endOf(begins[i]!)).toBe(listed.at(-1)![0]);
          expect(lists[0]).toMatchObject({ minTimeMs: listed[0]![0], samples: listed.length });
          if (isNewest) expect(listed).toEqual([own.at(-1)]);
          else if (extent === openExtent.whole) expect(listed).toEqual(own);
          else expect(listed.filter(isIn)).toEqual(own.filter(isIn));
        }
      }
      gather.end();
    }),
    { numRuns: 300, seed: 7 },
  );
});

function decoded(chunk: Uint8Array): [number, number][] {
  const [times, values] = [new Float64Array(200), new Float64Array(200)];
  const count = decodeXor(chunk, times, values);
  return Array.from({ length: count }, (_, i) => [times[i]!, values[i]!]);
}
