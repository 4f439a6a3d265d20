// Hot: what sum, avg, min, max, count, group, stddev and stdvar do with one row of input.
//
// A fold has one cell per group and step. Rows come in the order of their labels, which fixes the order of summation.

import { compensate } from './kahan.ts';
import type { Tile } from './tile.ts';

/** The cells of an aggregation; `cells.valid` says which have seen a sample. */
export interface FoldState {
  readonly cells: Tile;
  /** Compensation of sums; the running mean of deviations; empty where hasRest() and hasCounts() say no. */
  readonly rest: Float64Array;
  readonly counts: Float64Array;
  /** Running means of averages whose sum overflowed, NaN-free where set; made at the first overflow. */
  means: Float64Array | undefined;
  meaned: Uint8Array | undefined;
}

/** Takes the `steps` cells of `row` from `from` on into the cells of `state` from `at` on. */
export type FoldRow = (state: FoldState, row: Tile, from: number, at: number, steps: number) => void;

const sum: FoldRow = ({ cells, rest }, { values, valid }, from, at, steps) => {
  const { values: totals, valid: seen } = cells;
  for (let step = 0; step < steps; step++) {
    if (valid[from + step] === 0) continue;
    const value = values[from + step]!;
    const cell = at + step;
    if (seen[cell] === 0) {
      seen[cell] = 1;
      totals[cell] = value;
      continue;
    }
    const before = totals[cell]!;
    const total = before + value;
    rest[cell] = compensate(before, value, total, rest[cell]!);
    totals[cell] = total;
  }
};

const average: FoldRow = (state, row, from, at, steps) => {
  const { cells, rest, counts } = state;
  for (let step = 0; step < steps; step++) {
    if (row.valid[from + step] === 0) continue;
    const value = row.values[from + step]!;
    const cell = at + step;
    counts[cell]!++;
    if (cells.valid[cell] === 0) {
      cells.valid[cell] = 1;
      cells.values[cell] = value;
      continue;
    }
    const before = cells.values[cell]!;
    const total = before + value;
    if (state.meaned?.[cell] === 1 || total === Infinity || total === -Infinity) {
      addToMean(state, cell, value);
      continue;
    }
    rest[cell] = compensate(before, value, total, rest[cell]!);
    cells.values[cell] = total;
  }
};

/** An average whose sum overflowed goes on as a running mean. */
function addToMean(state: FoldState, cell: number, value: number): void {
  const { cells, rest, counts } = state;
  const count = counts[cell]!;
  state.means ??= new Float64Array(counts.length);
  state.meaned ??= new Uint8Array(counts.length);
  if (state.meaned[cell] === 0) {
    state.meaned[cell] = 1;
    state.means[cell] = cells.values[cell]! / (count - 1);
    rest[cell]! /= count - 1;
  }
  const share = (count - 1) / count;
  const before = share * state.means[cell]!;
  const part = value / count;
  rest[cell] = compensate(before, part, before + part, share * rest[cell]!);
  state.means[cell] = before + part;
}

const minimum: FoldRow = ({ cells }, row, from, at, steps) => {
  for (let step = 0; step < steps; step++) {
    if (row.valid[from + step] === 0) continue;
    const value = row.values[from + step]!;
    const best = cells.values[at + step]!;
    if (cells.valid[at + step] === 0 || best > value || Number.isNaN(best)) cells.values[at + step] = value;
    cells.valid[at + step] = 1;
  }
};

const maximum: FoldRow = ({ cells }, row, from, at, steps) => {
  for (let step = 0; step < steps; step++) {
    if (row.valid[from + step] === 0) continue;
    const value = row.values[from + step]!;
    const best = cells.values[at + step]!;
    if (cells.valid[at + step] === 0 || best < value || Number.isNaN(best)) cells.values[at + step] = value;
    cells.valid[at + step] = 1;
  }
};

const count: FoldRow = ({ cells }, row, from, at, steps) => {
  for (let step = 0; step < steps; step++) {
    if (row.valid[from + step] === 0) continue;
    cells.valid[at + step] = 1;
    cells.values[at + step]!++;
  }
};

const group: FoldRow = ({ cells }, row, from, at, steps) => {
  for (let step = 0; step < steps; step++) {
    if (row.valid[from + step] === 0) continue;
    cells.valid[at + step] = 1;
    cells.values[at + step] = 1;
  }
};

/** Welford's: `rest` is the mean, the value the sum of squares. A group that begins with NaN or Inf stays NaN. */
const deviation: FoldRow = ({ cells, rest, counts }, row, from, at, steps) => {
  for (let step = 0; step < steps; step++) {
    if (row.valid[from + step] === 0) continue;
    const value = row.values[from + step]!;
    const cell = at + step;
    counts[cell]!++;
    if (cells.valid[cell] === 0) {
      cells.valid[cell] = 1;
      cells.values[cell] = Number.isFinite(value) ? 0 : NaN;
      rest[cell] = value;
      continue;
    }
    const delta = value - rest[cell]!;
    rest[cell]! += delta / counts[cell]!;
    cells.values[cell]! += delta * (value - rest[cell]!);
  }
};

export type FoldOp = 'sum' | 'avg' | 'min' | 'max' | 'count' | 'group' | 'stddev' | 'stdvar';

export const foldRows: Readonly<Record<FoldOp, FoldRow>> = {
  sum,
  avg: average,
  min: minimum,
  max: maximum,
  count,
  group,
  stddev: deviation,
  stdvar: deviation,
};

export function hasCounts(op: FoldOp): boolean {
  return op === 'avg' || op === 'stddev' || op === 'stdvar';
}

export function hasRest(op: FoldOp): boolean {
  return op === 'sum' || hasCounts(op);
}

export function isFoldOp(op: string): op is FoldOp {
  return Object.hasOwn(foldRows, op);
}

/** Turns the state after the last row into results, in `state.cells`. */
export function finishFold(op: FoldOp, state: FoldState): void {
  const { cells, rest, counts, means, meaned } = state;
  for (let cell = 0; cell < cells.values.length; cell++) {
    if (cells.valid[cell] === 0) continue;
    const value = cells.values[cell]!;
    const n = counts[cell]!;
    if (op === 'sum') cells.values[cell] = value + rest[cell]!;
    else if (op === 'stdvar') cells.values[cell] = value / n;
    else if (op === 'stddev') cells.values[cell] = Math.sqrt(value / n);
    else if (op === 'avg') {
      cells.values[cell] = meaned?.[cell] === 1 ? means![cell]! + rest[cell]! : value / n + rest[cell]! / n;
    }
  }
}
