import { describe, expect, test } from '@jest/globals';
import { array, assert, constant, double, integer, oneof, property, record } from 'fast-check';
import { compensate } from './kahan.ts';
import { overTimeKernels } from './over-time.ts';
import type { RangeKernel } from './range-kernel.ts';
import { rateKernels } from './rate.ts';
import { makeTile } from './tile.ts';
import { Windows } from './windows.ts';

interface Samples {
  readonly times: readonly number[];
  readonly values: readonly number[];
}

const samples = array(
  record({
    gapMs: integer({ min: 1, max: 20_000 }),
    value: oneof(integer({ min: -5, max: 50 }), constant(NaN), constant(Infinity)),
  }),
  { maxLength: 60 },
).map((items): Samples => {
  let timeMs = 0;
  return { times: items.map(({ gapMs }) => (timeMs += gapMs)), values: items.map(({ value }) => value) };
});

const grid = { startMs: 1000, endMs: 274_000, stepMs: 7000, steps: 40 };
const RANGE_MS = 30_000;

function run(kernel: RangeKernel, { times, values }: Samples): (number | undefined)[] {
  const windows = new Windows(grid, { firstMs: grid.startMs, stepMs: grid.stepMs }, RANGE_MS);
  windows.times = Float64Array.from(times);
  windows.values = Float64Array.from(values);
  windows.count = times.length;
  windows.locate();
  const tile = makeTile(grid.steps);
  kernel(windows, [], tile, 0);
  return Array.from(tile.values, (value, step) => (tile.valid[step] === 1 ? value : undefined));
}

/** Every window by definition, one at a time. */
function expected(
  { times, values }: Samples,
  fold: (values: number[], times: number[], endMs: number) => number | undefined,
): (number | undefined)[] {
  return Array.from({ length: grid.steps }, (_, step) => {
    const endMs = grid.startMs + step * grid.stepMs;
    const inside = times.map((timeMs) => timeMs > endMs - RANGE_MS && timeMs <= endMs);
    const keep = <T>(column: readonly T[]): T[] => column.filter((__, i) => inside[i]);
    const window = keep(values);
    return window.length === 0 ? undefined : fold(window, keep(times), endMs);
  });
}

/** increase(), straight from its description. */
function increase(values: number[], times: number[], endMs: number, perSeconds = 1): number | undefined {
  if (values.length < 2) return undefined;
  let change = values.at(-1)! - values[0]!;
  for (let i = 1; i < values.length; i++) if (values[i]! < values[i - 1]!) change += values[i - 1]!;
  const sampled = (times.at(-1)! - times[0]!) / 1000;
  const average = sampled / (values.length - 1);
  let before = (times[0]! - (endMs - RANGE_MS)) / 1000;
  let after = (endMs - times.at(-1)!) / 1000;
  if (before >= average * 1.1) before = average / 2;
  if (after >= average * 1.1) after = average / 2;
  if (change > 0 && values[0]! >= 0) before = Math.min(before, sampled * (values[0]! / change));
  return change * ((sampled + before + after) / sampled / perSeconds);
}

describe('windows by cursors agree with windows by definition', () => {
  function check(kernel: RangeKernel, fold: Parameters<typeof expected>[1]): void {
    assert(
      property(samples, (series) => {
        expect(run(kernel, series)).toEqual(expected(series, fold));
      }),
      { numRuns: 200, seed: 7 },
    );
  }

  const maximum = (values: number[]): number =>
    values.reduce((best, value) => (value > best || Number.isNaN(best) ? value : best));

  test('counts and edges', () => {
    check(overTimeKernels.count_over_time, (values) => values.length);
    check(overTimeKernels.first_over_time, (values) => values[0]);
    check(overTimeKernels.last_over_time, (values) => values.at(-1));
    check(
      overTimeKernels.resets,
      (values) => values.filter((value, i) => i > 0 && value < values[i - 1]!).length,
    );
  });

  test('extremes', () => {
    check(overTimeKernels.max_over_time, maximum);
    check(overTimeKernels.min_over_time, (values) => -maximum(values.map((value) => -value)) + 0);
  });

  test('increase', () => {
    check(rateKernels.increase, increase);
    check(rateKernels.rate, (...window) => increase(...window, 30));
  });
});

/** Neumaier's sum, sample by sample. */
function compensated(values: readonly number[]): number {
  let total = 0;
  let rest = 0;
  for (const value of values) {
    rest = compensate(total, value, total + value, rest);
    total += value;
  }
  return Number.isFinite(total) ? total + rest : total;
}

/** Welford's, sample by sample. */
function variance(values: readonly number[]): number {
  let mean = 0;
  let meanRest = 0;
  let squares = 0;
  let squaresRest = 0;
  values.forEach((value, i) => {
    const delta = value - (mean + meanRest);
    const part = delta / (i + 1);
    meanRest = compensate(mean, part, mean + part, meanRest);
    mean += part;
    const square = delta * (value - (mean + meanRest));
    squaresRest = compensate(squares, square, squares + square, squaresRest);
    squares += square;
  });
  return (squares + squaresRest) / values.length;
}

describe('compensated folds have the bits of a walk', () => {
  const floats = oneof(
    double({ noNaN: true, min: -1e6, max: 1e6 }),
    constant(NaN),
    constant(Infinity),
    constant(1e308),
    constant(-0),
    double({ min: 0, max: 1e-9, noNaN: true }),
  );

  function check(gapMaxMs: number, fold: (kernel: RangeKernel, series: Samples) => void): void {
    const item = record({
      gapMs: integer({ min: 1, max: gapMaxMs }),
      value: oneof({ weight: 60, arbitrary: double({ min: -50, max: 1e4, noNaN: true }) }, floats),
    });
    const series = array(item, { maxLength: 300 }).map((items): Samples => {
      let timeMs = 0;
      return { times: items.map(({ gapMs }) => (timeMs += gapMs)), values: items.map(({ value }) => value) };
    });
    assert(
      property(series, (one) => {
        fold(overTimeKernels.sum_over_time, one);
        expect(run(overTimeKernels.stdvar_over_time, one)).toEqual(expected(one, variance));
      }),
      { numRuns: 100, seed: 11 },
    );
  }

  test('of short and of long windows', () => {
    const same = (kernel: RangeKernel, series: Samples): void =>
      expect(run(kernel, series)).toEqual(expected(series, compensated));
    check(9000, same);
    check(900, same);
  });
});

describe('sums', () => {
  function check(values: readonly number[], sum: number, average: number): void {
    const series = { times: values.map((_, i) => i + 1), values };
    expect(run(overTimeKernels.sum_over_time, series)[0]).toBe(sum);
    expect(run(overTimeKernels.avg_over_time, series)[0]).toBe(average);
  }

  test('keep small terms beside large ones', () => {
    check([1, 1e100, 1, -1e100], 2, 0.5);
    check([0.1, 0.2, 0.3], 0.6, 0.2);
  });

  test('averages survive a sum that overflows', () => {
    check([1e308, 1e308, 1e308], Infinity, 1e308);
    check([Infinity, 1], Infinity, Infinity);
    check([Infinity, -Infinity], NaN, NaN);
  });
});
