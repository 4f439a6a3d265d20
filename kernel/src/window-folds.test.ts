import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { type FoldWindows, windowFolds } from './window-folds.ts';
import { oracleFolds } from './window-folds-oracle.ts';
import { bitsOf } from './xor-oracle.ts';

const names = Object.keys(oracleFolds) as (keyof typeof oracleFolds)[];
type Bounds = readonly (readonly [lo: number, hi: number])[];

let generations = 0;

function windowsOf(bounds: Bounds): FoldWindows {
  return {
    generation: ++generations,
    steps: bounds.length,
    lo: Int32Array.from(bounds, ([lo]) => lo),
    hi: Int32Array.from(bounds, ([, hi]) => hi),
  };
}

/** What the kernel makes of windows; the cells around them must stay as they are. */
function folded(name: keyof typeof oracleFolds, windows: FoldWindows, values: readonly number[]): number[] {
  const { steps } = windows;
  const out = new Float64Array(steps + 3).fill(-7);
  windowFolds[name](windows, Float64Array.from([...values, 1e9]), values.length, out, 2);
  expect([out[0], out[1], out[steps + 2]]).toEqual([-7, -7, -7]);
  return [...out.subarray(2, steps + 2)];
}

/** All NaN are one: which of them a processor gives is its own affair. */
function bits(value: number): bigint {
  return bitsOf(Number.isNaN(value) ? NaN : value);
}

function check(values: readonly number[], bounds: Bounds): void {
  const windows = windowsOf(bounds);
  for (const name of names) {
    const got = folded(name, windows, values);
    bounds.forEach(([lo, hi], k) => {
      if (hi === lo) return;
      const want = oracleFolds[name](values.slice(lo, hi));
      if (bits(got[k]!) !== bits(want))
        throw new Error(`${name} of [${lo}, ${hi}) of ${values.join(' ')}: got ${got[k]}, want ${want}`);
    });
  }
}

const special = fc.constantFrom(
  ...[NaN, Infinity, -Infinity, 0, -0, 1e300, -1e300, 1.7e308, -1.7e308, 5e-324, -5e-324, 2.3e-308],
  ...[2 ** 53, -(2 ** 53), 2 ** 53 + 2, 2 ** -53, 2 ** 106, 0.5, -1, 1],
);
const plain = fc.double({ min: -50, max: 1e4, noNaN: true });
const anything = fc.double({ noNaN: true });
const valueKinds = [
  plain,
  anything,
  special,
  fc.integer({ min: 0, max: 5 }),
  fc.constantFrom(0, -0, NaN),
  // Sums that lie between two numbers, or nearly so.
  fc.constantFrom(2 ** 53, 1, -1, 0.5, 2 ** -60, -(2 ** 53)),
  fc.constantFrom(5e-324, -5e-324, 1.5e-323, 2.2250738585072014e-308),
  fc.oneof({ weight: 60, arbitrary: plain }, special),
];
const columns = fc.oneof(...valueKinds.map((value) => fc.array(value, { minLength: 1, maxLength: 120 })));

/** As a range query has them: from some sample on, of some samples, every so many; the ends of the column cut them. */
const sliding = fc
  .record({
    first: fc.integer({ min: -20, max: 20 }),
    range: fc.integer({ min: 1, max: 70 }),
    every: fc.oneof(fc.constant(1), fc.integer({ min: 0, max: 30 })),
    steps: fc.integer({ min: 1, max: 100 }),
    jitter: fc.integer({ min: 0, max: 2 }),
  })
  .map(({ first, range, every, steps, jitter }) => (count: number): Bounds => {
    const bound = (i: number): number => Math.min(Math.max(i, 0), count);
    return Array.from({ length: steps }, (_, k) => {
      const end = first + range + k * every;
      return [bound(end - range - ((k * 7) % (jitter + 1))), bound(end)] as const;
    });
  });
const scattered = fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 40 }).map(
  (pairs) =>
    (count: number): Bounds =>
      pairs.map(([a, b]) => {
        const [x, y] = [a % (count + 1), b % (count + 1)];
        return [Math.min(x, y), Math.max(x, y)] as const;
      }),
);

describe('folds have the bits of a walk over each window', () => {
  const checkRandom = (bounds: typeof sliding, seed: number, numRuns: number): void =>
    fc.assert(
      fc.property(columns, bounds, (values, at) => check(values, at(values.length))),
      { seed, numRuns },
    );

  test('of windows that slide, seed 17', () => checkRandom(sliding, 17, 1500));

  test('of windows anywhere, seed 18', () => checkRandom(scattered, 18, 500));

  test('whatever the number of windows and samples', () => {
    const values = Array.from({ length: 40 }, (_, i) => Math.sin(i) * 100);
    for (let steps = 1; steps < 40; steps++)
      check(
        values,
        Array.from({ length: steps }, (_, k) => [k, 40] as const),
      );
    for (let count = 1; count < 40; count++)
      check(
        values.slice(0, count),
        Array.from({ length: 30 }, () => [0, count] as const),
      );
    check([], [[0, 0]]);
    for (const name of names) expect(folded(name, windowsOf([]), values)).toEqual([]);
  });

  test('of a long column', () => {
    const values = Array.from({ length: 20_000 }, (_, i) => Math.sin(i) * i);
    check(
      values,
      Array.from({ length: 100 }, (_, k) => [100 * k, 100 * k + 3000] as const),
    );
  });
});

test('the first of equal extremes counts: zeros keep their sign', () => {
  for (const values of [
    [-0, 0, -0],
    [0, -0, 0, -0, 0],
    [NaN, -0, 0],
    [NaN, 0, -0, NaN],
  ])
    check(values, [
      ...values.map((_, i) => [i, values.length] as const),
      ...values.map((_, i) => [0, i + 1] as const),
    ]);
});

test('what was entered before is not taken for what is asked now', () => {
  const values = [1, 2, 4, 8];
  const one = windowsOf([[0, 2]]);
  const other = windowsOf([[1, 4]]);
  for (let i = 0; i < 3; i++) {
    expect(folded('sum', one, values)).toEqual([3]);
    expect(folded('maximum', other, values)).toEqual([8]);
  }
  expect(folded('sum', other, values)).toEqual([14]);
  other.lo[0] = 2;
  expect(folded('sum', { ...other, steps: 0 }, values)).toEqual([]);
  expect(folded('sum', { ...other, generation: ++generations }, values)).toEqual([12]);
});

describe('nothing outside a column is looked at', () => {
  const values = [1, 2, 3];

  function checkRefused(
    windows: FoldWindows,
    message: RegExp,
    count = values.length,
    room = windows.steps,
  ): void {
    for (const name of names) {
      const out = new Float64Array(room);
      expect(() => windowFolds[name](windows, Float64Array.from(values), count, out, 0)).toThrow(message);
      expect(() => windowFolds[name](windows, Float64Array.from(values), count, out, 0)).toThrow(message);
      expect(folded(name, windowsOf([[0, 1]]), values)).toEqual([oracleFolds[name]([1])]);
    }
  }

  test('bounds', () => {
    checkRefused(windowsOf([[0, 4]]), /a window ends at 4 of 3 samples/);
    checkRefused(
      windowsOf([
        [0, 3],
        [2, 1],
      ]),
      /a window ends at/,
    );
    checkRefused(windowsOf([[-1, 2]]), /a window ends at/);
    checkRefused(windowsOf([[-2, -1]]), /a window ends at/);
    checkRefused(windowsOf([[0, 2 ** 31 - 1]]), /a window ends at/);
    checkRefused(windowsOf([[2 ** 29, 2 ** 29]]), /a window ends at/);
    checkRefused(windowsOf([[0, 3]]), /a window ends at 3 of 2 samples/, 2);
  });

  test('counts', () => {
    const windows = windowsOf([[0, 3]]);
    checkRefused(windows, /3 values, want 4/, 4);
    checkRefused(windows, /3 values, want 2147483648/, 2 ** 31);
    checkRefused(windows, /room for 0 windows, want 1/, 3, 0);
    checkRefused({ ...windows, steps: 100 }, /1 windows, want 100/);
  });
});
