// The shape of range functions: one call computes a whole row, one cell for each window of a series.

import type { Tile } from './tile.ts';
import type { Windows } from './windows.ts';

/**
 * Writes the cells [at, at + windows.steps) of `out`, values and validity.
 * `params` are the rows of the function's scalar arguments, in order, one value for each step.
 */
export type RangeKernel = (windows: Windows, params: readonly Float64Array[], out: Tile, at: number) => void;

/** A kernel from what one window that is not empty comes to. */
export function perWindow(fold: (w: Windows, lo: number, hi: number, step: number) => number): RangeKernel {
  return (w, _params, out, at) => {
    for (let step = 0; step < w.steps; step++) {
      const lo = w.lo[step]!;
      const hi = w.hi[step]!;
      out.valid[at + step] = hi > lo ? 1 : 0;
      if (hi > lo) out.values[at + step] = fold(w, lo, hi, step);
    }
  };
}
