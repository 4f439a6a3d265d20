// Bench: folds of the windows of a series, copies into and out of the kernel included. Nanoseconds of CPU a window, beside the
// cheapest walk that JavaScript has: a sum of each window without compensation.
// node bench/dist/promql/window-folds.js; the last line is JSON.

import { type FoldWindows, type WindowFold, windowFolds } from '@flotilla/kernel';

interface Shape {
  readonly samples: number;
  /** How long windows are and how far apart, in samples. */
  readonly range: number;
  readonly every: number;
  readonly steps: number;
}

const shapes: Readonly<Record<string, Shape>> = {
  'range 20 every 1': { samples: 260, range: 20, every: 1, steps: 241 },
  'range 20 every 4': { samples: 260, range: 20, every: 4, steps: 61 },
  'range 5 every 10': { samples: 260, range: 5, every: 10, steps: 26 },
  'range 100 every 4': { samples: 2000, range: 100, every: 4, steps: 476 },
  'one of 20': { samples: 20, range: 20, every: 1, steps: 1 },
  'one of 240': { samples: 240, range: 240, every: 1, steps: 1 },
};
const seriesCount = 64;
const rounds = 15;
const windowsPerRound = 200_000;

const plainSum: WindowFold = ({ steps, lo, hi }, values, _count, out, at) => {
  for (let step = 0; step < steps; step++) {
    let total = 0;
    for (let i = lo[step]!; i < hi[step]!; i++) total += values[i]!;
    out[at + step] = total;
  }
};

function windowsOf({ range, every, steps }: Shape): FoldWindows {
  const lo = Int32Array.from({ length: steps }, (_, step) => step * every);
  return { generation: 1, steps, lo, hi: lo.map((from) => from + range) };
}

/** CPU time of as many passes over all series as a round has. */
function nanosecondsOf(fold: WindowFold, shape: Shape, series: readonly Float64Array[]): number {
  const windows = windowsOf(shape);
  const out = new Float64Array(shape.steps);
  const passes = Math.ceil(windowsPerRound / (seriesCount * shape.steps));
  const before = process.cpuUsage();
  for (let pass = 0; pass < passes; pass++)
    for (const values of series) fold(windows, values, shape.samples, out, 0);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / (passes * seriesCount * shape.steps);
}

const folds: Readonly<Record<string, WindowFold>> = { ...windowFolds, plainSum };
/** The least of many rounds, in turn: what else the machine does only adds. */
const least = new Map<string, number>();
for (let round = 0; round < rounds; round++) {
  for (const [shapeName, shape] of Object.entries(shapes)) {
    const series = Array.from({ length: seriesCount }, (_, s) =>
      Float64Array.from({ length: shape.samples }, (__, i) => 100 + 50 * Math.sin(s + i)),
    );
    for (const [name, fold] of Object.entries(folds)) {
      const key = `${name}, ${shapeName}`;
      least.set(key, Math.min(least.get(key) ?? Infinity, nanosecondsOf(fold, shape, series)));
    }
  }
}
const ratios: Record<string, number> = {};
for (const shapeName of Object.keys(shapes)) {
  const plain = least.get(`plainSum, ${shapeName}`)!;
  for (const name of Object.keys(folds)) {
    const key = `${name}, ${shapeName}`;
    console.log(`${key}: ${least.get(key)!.toFixed(1)} ns/window`);
    if (name !== 'plainSum') ratios[key] = Math.round((least.get(key)! / plain) * 1000) / 1000;
  }
}
console.log(
  JSON.stringify({
    bench: 'window-folds',
    peer: 'an uncompensated sum of each window in JavaScript',
    ratios,
  }),
);
