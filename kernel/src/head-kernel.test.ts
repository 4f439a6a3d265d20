import { describe, expect, test } from '@jest/globals';
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
