// Hot: deriv() and predict_linear(), by least squares, and double_exponential_smoothing().

import { fail } from './errors.ts';
import { compensate } from './kahan.ts';
import type { RangeKernel } from './range-kernel.ts';
import type { Windows } from './windows.ts';

/** The line through a window; `intercept` is its value at the time it was asked for. One object serves all windows. */
interface Line {
  slope: number;
  intercept: number;
}

function fitLine(w: Windows, lo: number, hi: number, atMs: number, line: Line): void {
  const first = w.values[lo]!;
  let constant = true;
  let sumX = 0;
  let restX = 0;
  let sumY = 0;
  let restY = 0;
  let sumXY = 0;
  let restXY = 0;
  let sumXX = 0;
  let restXX = 0;
  for (let i = lo; i < hi; i++) {
    const x = (w.times[i]! - atMs) / 1e3;
    const y = w.values[i]!;
    if (y !== first && i > lo) constant = false;
    restX = compensate(sumX, x, sumX + x, restX);
    sumX += x;
    restY = compensate(sumY, y, sumY + y, restY);
    sumY += y;
    restXY = compensate(sumXY, x * y, sumXY + x * y, restXY);
    sumXY += x * y;
    restXX = compensate(sumXX, x * x, sumXX + x * x, restXX);
    sumXX += x * x;
  }
  if (constant) {
    const finite = first !== Infinity && first !== -Infinity;
    line.slope = finite ? 0 : NaN;
    line.intercept = finite ? first : NaN;
    return;
  }
  const n = hi - lo;
  sumX += restX;
  sumY += restY;
  const covariance = sumXY + restXY - (sumX * sumY) / n;
  const spread = sumXX + restXX - (sumX * sumX) / n;
  line.slope = covariance / spread;
  line.intercept = sumY / n - (line.slope * sumX) / n;
}

/** A kernel over windows of at least two samples. */
function perPair(fold: (w: Windows, lo: number, hi: number, step: number) => number): RangeKernel {
  return (w, _params, out, at) => {
    for (let step = 0; step < w.steps; step++) {
      const lo = w.lo[step]!;
      const hi = w.hi[step]!;
      out.valid[at + step] = hi - lo >= 2 ? 1 : 0;
      if (hi - lo >= 2) out.values[at + step] = fold(w, lo, hi, step);
    }
  };
}

const derivative = perPair((w, lo, hi) => {
  const line: Line = { slope: 0, intercept: 0 };
  fitLine(w, lo, hi, w.times[lo]!, line); // Near the samples, where floats are dense.
  return line.slope;
});

const predict: RangeKernel = (w, params, out, at) => {
  const seconds = params[0]!;
  const line: Line = { slope: 0, intercept: 0 };
  const fold = perPair((windows, lo, hi, step) => {
    fitLine(windows, lo, hi, windows.grid.startMs + step * windows.grid.stepMs, line);
    return line.slope * seconds[step]! + line.intercept;
  });
  fold(w, params, out, at);
};

/** Throws unless the factor is inside (0, 1). */
function checkFactor(name: string, factor: number): void {
  if (factor > 0 && factor < 1) return;
  if (Number.isNaN(factor)) return;
  fail(`invalid ${name} factor. Expected: 0 < ${name[0]}f < 1, got: ${factorText(factor)}`);
}

function factorText(factor: number): string {
  if (Number.isFinite(factor)) return factor.toFixed(6);
  return factor > 0 ? '+Inf' : '-Inf';
}

function smooth(w: Windows, lo: number, hi: number, smoothing: number, trending: number): number {
  let before = 0;
  let smoothed = w.values[lo]!;
  let trend = w.values[lo + 1]! - w.values[lo]!;
  for (let i = lo + 1; i < hi; i++) {
    if (i > lo + 1) trend = trending * (smoothed - before) + (1 - trending) * trend;
    const next = smoothing * w.values[i]! + (1 - smoothing) * (smoothed + trend);
    before = smoothed;
    smoothed = next;
  }
  return smoothed;
}

const smoothing: RangeKernel = (w, params, out, at) => {
  const [factors, trends] = params as [Float64Array, Float64Array];
  for (let step = 0; step < w.steps; step++) {
    if (w.hi[step] === w.lo[step]) continue;
    checkFactor('smoothing', factors[step]!);
    checkFactor('trend', trends[step]!);
  }
  const fold = perPair((windows, lo, hi, step) => smooth(windows, lo, hi, factors[step]!, trends[step]!));
  fold(w, params, out, at);
};

export const regressionKernels = {
  deriv: derivative,
  predict_linear: predict,
  double_exponential_smoothing: smoothing,
} satisfies Record<string, RangeKernel>;
