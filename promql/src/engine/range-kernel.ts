// The shape of range functions: one call computes a whole row, one cell for each window of a series.

import type { Tile } from './tile.ts';
import type { Windows } from './windows.ts';

/**
 * Writes the cells [at, at + windows.steps) of `out`, values and validity.
 * `params` are the rows of the function's scalar arguments, in order, one value for each step.
 */
export type RangeKernel = (windows: Windows, params: readonly Float64Array[], out: Tile, at: number) => void;
