import { describe, expect, test } from '@jest/globals';
import { HeadKernel } from '@flotilla/kernel';
import type { RawChunk } from '../api.ts';
import { mergeChunks } from './merge-chunks.ts';
import { pointsOf } from '../testing/sandbox.ts';

function chunkOf(points: Record<number, number>): RawChunk {
  const kernel = new HeadKernel(() => {});
  kernel.createSeries(1);
  for (const [t, v] of Object.entries(points))
    kernel.stage(1, Uint32Array.of(1), Float64Array.of(v), 1, Number(t));
  kernel.apply(1, 0, 1e6);
  const times = Object.keys(points).map(Number);
  const [minTimeMs, maxTimeMs] = [times[0]!, times.at(-1)!];
  return { minTimeMs, maxTimeMs, samples: times.length, encoding: 1, data: kernel.copyOpen(1) };
}

describe('mergeChunks', () => {
  function check(chunks: Record<number, number>[], want: Record<number, number>, count: number): void {
    const merged = mergeChunks(chunks.map(chunkOf));
    const view = new DataView(new ArrayBuffer(8));
    const got: Record<number, number> = {};
    for (const [t, bits] of pointsOf(merged)) {
      view.setBigUint64(0, bits);
      got[t] = view.getFloat64(0);
    }
    expect(got).toEqual(want);
    expect(merged).toHaveLength(count);
  }

  test('only sorts what does not overlap', () => {
    check([], {}, 0);
    check(
      [
        { 5: 5, 6: 6 },
        { 1: 1, 2: 2 },
      ],
      { 1: 1, 2: 2, 5: 5, 6: 6 },
      2,
    );
  });

  test('rewrites what overlaps; the later source wins', () => {
    check(
      [
        { 1: 1, 3: 3 },
        { 2: 20, 3: 30 },
      ],
      { 1: 1, 2: 20, 3: 30 },
      1,
    );
    check([{ 2: 20, 3: 30 }, { 1: 1, 3: 3 }, { 9: 9 }], { 1: 1, 2: 20, 3: 3, 9: 9 }, 2);
  });
});
