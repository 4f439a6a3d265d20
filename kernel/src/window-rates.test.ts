import { expect, test } from '@jest/globals';
import { type WindowEdges, windowRates } from './window-rates.ts';

/** Edges as if each window of `windows` [lo, hi) had these seconds. */
function edgesOf(windows: readonly (readonly [lo: number, hi: number])[], unit = 1): WindowEdges {
  const column = (seconds: number): Float64Array => new Float64Array(windows.length).fill(seconds);
  const [sampled, toStart, toEnd] = [10, 5, 3];
  return {
    generation: 1,
    steps: windows.length,
    lo: Int32Array.from(windows, ([lo]) => lo),
    hi: Int32Array.from(windows, ([, hi]) => hi),
    enough: Uint8Array.from(windows, ([lo, hi]) => (hi - lo > 1 ? 1 : 0)),
    sampled: column(sampled),
    toStart: column(toStart),
    toEnd: column(toEnd),
    far: column((sampled + toStart + toEnd) / sampled / unit),
    unit,
  };
}

function ratesOf(edges: WindowEdges, values: readonly number[], isCounter: boolean): number[] | undefined {
  const out = new Float64Array(edges.steps + 1).fill(-1);
  const isWritten = windowRates(edges, Float64Array.from([...values, 7]), values.length, isCounter, out, 1);
  return isWritten ? [...out.subarray(1)] : undefined;
}

test('windows side by side, far from each other, of an even and an odd number', () => {
  const values = [100, 110, 130, 160, 200, 250];
  const factor = 1.8;
  expect(ratesOf(edgesOf([[0, 2]]), values, true)).toEqual([10 * factor]);
  const rates = ratesOf(
    edgesOf([
      [0, 2],
      [1, 3],
      [0, 6],
      [4, 6],
      [2, 4],
    ]),
    values,
    true,
  );
  expect(rates).toEqual([10, 20, 150, 50, 30].map((change) => change * factor));
});

test('a counter is not extrapolated below zero, a gauge is; a rate is over seconds', () => {
  const near = (10 + 10 * (1 / 9) + 3) / 10;
  const windows = [[0, 2]] as const;
  expect(ratesOf(edgesOf(windows), [1, 10], true)).toEqual([9 * near]);
  expect(ratesOf(edgesOf(windows, 60), [1, 10], true)).toEqual([9 * (near / 60)]);
  expect(ratesOf(edgesOf(windows, 60), [1, 10], false)).toEqual([9 * (1.8 / 60)]);
  expect(ratesOf(edgesOf(windows), [NaN, 10], true)).toEqual([NaN]);
});

test('a reset at any place is found, in what counts alone', () => {
  for (let count = 0; count < 20; count++) {
    const growing = Array.from({ length: count }, (_, i) => i + 10);
    const edges = edgesOf(count > 1 ? [[0, count]] : [[0, 0]]);
    expect(ratesOf(edges, growing, true)).toHaveLength(1);
    for (let at = 1; at < count; at++) {
      const values = growing.with(at, 1);
      expect([count, at, ratesOf(edges, values, true)]).toEqual([count, at, undefined]);
      expect(ratesOf(edges, values, false)).toHaveLength(1);
    }
  }
});

test('what was entered before is not taken for what is asked now', () => {
  const values = [100, 110, 130];
  const one = edgesOf([[0, 2]]);
  const other = edgesOf([[0, 3]], 2);
  const [oneRate, otherRate] = [10 * 1.8, 30 * (1.8 / 2)];
  for (let i = 0; i < 3; i++) {
    expect(ratesOf(one, values, true)).toEqual([oneRate]);
    expect(ratesOf(other, values, true)).toEqual([otherRate]);
  }
  one.lo[0] = 1;
  one.hi[0] = 3;
  expect(ratesOf({ ...one, generation: 2 }, values, true)).toEqual([20 * 1.8]);
  const many = Array.from({ length: 100_000 }, (_, i) => i);
  expect(ratesOf(edgesOf([[0, many.length]]), many, true)![0]).toBeCloseTo((99_999 * (10 + 3)) / 10);
});
