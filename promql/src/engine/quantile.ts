// Hot: quantiles of a set of numbers, interpolated between neighbours. A NaN is smaller than any number.

import { perWindow, type RangeKernel } from './range-kernel.ts';

/** The φ-quantile of the numbers; sorts them in place. NaN if there are none. */
export function quantile(phi: number, numbers: Float64Array): number {
  const count = numbers.length;
  if (count === 0 || Number.isNaN(phi)) return NaN;
  if (phi < 0) return -Infinity;
  if (phi > 1) return Infinity;
  sortNanFirst(numbers);
  const rank = phi * (count - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(count - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  return numbers[lower]! * (1 - weight) + numbers[upper]! * weight;
}

/** Typed arrays sort NaN last; here it comes first. */
function sortNanFirst(numbers: Float64Array): void {
  numbers.sort();
  let nans = 0;
  while (nans < numbers.length && Number.isNaN(numbers[numbers.length - 1 - nans])) nans++;
  if (nans === 0) return;
  numbers.copyWithin(nans, 0, numbers.length - nans);
  numbers.fill(NaN, 0, nans);
}

/** The median of the distances to the median. */
function medianDeviation(numbers: Float64Array): number {
  if (numbers.some(Number.isNaN)) return NaN;
  const median = quantile(0.5, numbers);
  for (let i = 0; i < numbers.length; i++) numbers[i] = Math.abs(numbers[i]! - median);
  return quantile(0.5, numbers);
}

const quantileOverTime: RangeKernel = (w, params, out, at) => {
  const phi = params[0]!;
  const fold = perWindow((windows, lo, hi, step) => quantile(phi[step]!, windows.values.slice(lo, hi)));
  fold(w, params, out, at);
};

export const quantileKernels = {
  quantile_over_time: quantileOverTime,
  mad_over_time: perWindow((w, lo, hi) => medianDeviation(w.values.slice(lo, hi))),
} satisfies Record<string, RangeKernel>;
