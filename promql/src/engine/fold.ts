// Hot: what sum, avg, min, max, count, group, stddev and stdvar do with one row of input.
//
// A fold has one cell per group and step. Rows come in the order of their labels, which fixes the order of summation.

import { compensate } from './kahan.ts';
import { FLOAT, NOTHING, type Tile } from './tile.ts';

/** The cells of an aggregation; `cells.valid` says which have seen a sample. */
export interface FoldState {
  readonly steps: number;
  readonly cells: Tile;
  /** Compensation of sums; the running mean of deviations; empty where hasRest() and hasCounts() say no. */
  readonly rest: Float64Array;
  readonly counts: Float64Array;
  /** Running means of averages whose sum overflowed, NaN-free where set; made at the first overflow. */
  means: Float64Array | undefined;
  meaned: Uint8Array | undefined;
}

/** Takes the `steps` cells of `row` from `from` on into the cells of `state` from `at` on. */
type FoldRow = (state: FoldState, row: Tile, from: number, at: number, steps: number) => void;

/** Takes one more value into a cell. */
type FoldCell = (state: FoldState, cell: number, value: number) => void;

const addToSum: FoldCell = ({ cells, rest }, cell, value) => {
  cells.valid[cell] = 1;
  const before = cells.values[cell]!;
  const total = before + value;
  rest[cell] = compensate(before, value, total, rest[cell]!);
  cells.values[cell] = total;
};

const addToAverage: FoldCell = (state, cell, value) => {
  const { cells, rest, counts } = state;
  cells.valid[cell] = 1;
  counts[cell]!++;
  const before = cells.values[cell]!;
  const total = before + value;
  const isInfinite = total === Infinity || total === -Infinity;
  if (state.meaned?.[cell] === 1 || (isInfinite && counts[cell]! > 1)) {
    addToMean(state, cell, value);
    return;
  }
  rest[cell] = compensate(before, value, total, rest[cell]!);
  cells.values[cell] = total;
};

/** Rows that are added up at a time: few enough for a cache of the first level to hold a line of each. */
const RUN = 16;

/**
 * Takes rows of one group into its cells, which stay in registers meanwhile. Compensations are found without a branch
 * (Knuth's 2Sum), which gives the bits of compensate() while all is finite; where a sample is missing or something is
 * not finite, `add` takes them one by one.
 */
function addRows(state: FoldState, tile: Tile, from: number, rows: number, at: number, add: FoldCell): void {
  const { values: totals, valid: seen } = state.cells;
  const { rest, counts, steps } = state;
  const { values, valid } = tile;
  const isCounted = counts.length > 0;
  for (let step = 0; step < steps; step++) {
    const cell = at + step;
    const end = from + step + rows * steps;
    let total = totals[cell]!;
    let lost = rest[cell]!;
    let isWhole = FLOAT;
    for (let i = from + step; i < end; i += steps) {
      isWhole &= valid[i]!;
      const value = values[i]!;
      const next = total + value;
      const part = next - total;
      lost += total - (next - part) + (value - part);
      total = next;
    }
    if (isWhole === FLOAT && total + lost - (total + lost) === 0) {
      totals[cell] = total;
      rest[cell] = lost;
      seen[cell] = 1;
      if (isCounted) counts[cell]! += rows;
    } else {
      for (let i = from + step; i < end; i += steps) if (valid[i] !== NOTHING) add(state, cell, values[i]!);
    }
  }
}

/** Takes `rows` rows of one group, the first of which begins at cell `from`, into the cells from `at` on. */
export function foldRun(
  op: FoldOp,
  state: FoldState,
  tile: Tile,
  from: number,
  rows: number,
  at: number,
): void {
  const { steps } = state;
  for (let row = 0; row < rows; row += RUN) {
    const count = Math.min(RUN, rows - row);
    const first = from + row * steps;
    if (op === 'sum') addRows(state, tile, first, count, at, addToSum);
    else if (op !== 'avg')
      for (let i = 0; i < count; i++) foldRows[op](state, tile, first + i * steps, at, steps);
    // What overflowed goes on as a running mean.
    else if (state.meaned === undefined) addRows(state, tile, first, count, at, addToAverage);
    else for (let i = 0; i < count; i++) averageRow(state, tile, first + i * steps, at, steps);
  }
}

const averageRow: FoldRow = (state, { values, valid }, from, at, steps) => {
  for (let step = 0; step < steps; step++)
    if (valid[from + step] !== NOTHING) addToAverage(state, at + step, values[from + step]!);
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

type RowFoldOp = 'min' | 'max' | 'count' | 'group' | 'stddev' | 'stdvar';
export type FoldOp = 'sum' | 'avg' | RowFoldOp;

const foldRows: Readonly<Record<RowFoldOp, FoldRow>> = {
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
  return op === 'sum' || op === 'avg' || Object.hasOwn(foldRows, op);
}

/** Makes a state as new. */
export function clearFold(state: FoldState): void {
  state.cells.values.fill(0);
  state.cells.valid.fill(0);
  state.rest.fill(0);
  state.counts.fill(0);
  state.means = undefined;
  state.meaned = undefined;
}

/** Turns the state after the last row into results, in `state.cells`. */
export function finishFold(op: FoldOp, state: FoldState): void {
  const { cells, rest, counts } = state;
  const { values } = cells;
  switch (op) {
    case 'sum':
      for (let cell = 0; cell < values.length; cell++) values[cell]! += rest[cell]!;
      break;
    case 'avg':
      for (let cell = 0; cell < values.length; cell++) values[cell] = averageOf(state, cell);
      break;
    case 'stdvar':
      for (let cell = 0; cell < values.length; cell++) values[cell]! /= counts[cell]!;
      break;
    case 'stddev':
      for (let cell = 0; cell < values.length; cell++)
        values[cell] = Math.sqrt(values[cell]! / counts[cell]!);
      break;
    case 'min':
    case 'max':
    case 'count':
    case 'group':
      break;
  }
}

function averageOf({ cells, rest, counts, means, meaned }: FoldState, cell: number): number {
  if (meaned?.[cell] === 1) return means![cell]! + rest[cell]!;
  return cells.values[cell]! / counts[cell]! + rest[cell]! / counts[cell]!;
}
