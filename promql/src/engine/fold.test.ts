import { describe, expect, test } from '@jest/globals';
import { array, assert, constant, double, integer, oneof, property, tuple } from 'fast-check';
import { finishFold, foldRun, type FoldState } from './fold.ts';
import { compensate } from './kahan.ts';
import { makeTile } from './tile.ts';

const STEPS = 5;

function freshState(): FoldState {
  return {
    steps: STEPS,
    cells: makeTile(STEPS),
    rest: new Float64Array(STEPS),
    counts: new Float64Array(STEPS),
    means: undefined,
    meaned: undefined,
  };
}

/** undefined is a sample that is missing. */
type Row = readonly (number | undefined)[];

/** Folds the rows in runs of these lengths. */
function folded(op: 'sum' | 'avg', rows: readonly Row[], runs: readonly number[]): (number | undefined)[] {
  const tile = makeTile(rows.length * STEPS);
  rows.flat().forEach((value, cell) => {
    tile.values[cell] = value ?? 77;
    tile.valid[cell] = value === undefined ? 0 : 1;
  });
  const state = freshState();
  let row = 0;
  for (const run of [...runs, rows.length]) {
    const count = Math.min(run, rows.length - row);
    if (count > 0) foldRun(op, state, tile, row * STEPS, count, 0);
    row += count;
  }
  finishFold(op, state);
  return Array.from(state.cells.values, (value, cell) => (state.cells.valid[cell] === 1 ? value : undefined));
}

function sum(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  let [total = 0, rest = 0] = values.slice(0, 1);
  for (const value of values.slice(1)) {
    rest = compensate(total, value, total + value, rest);
    total += value;
  }
  return total + rest;
}

const value = oneof(
  { weight: 9, arbitrary: double({ min: -1e9, max: 1e9, noNaN: true }) },
  constant(Infinity),
  constant(NaN),
  constant(1e308),
);
const row = array(oneof({ weight: 9, arbitrary: value }, constant(undefined)), {
  minLength: STEPS,
  maxLength: STEPS,
});

describe('rows folded in runs give what they give one by one', () => {
  function check(op: 'sum' | 'avg', want: (rows: readonly Row[]) => (number | undefined)[]): void {
    const runs = array(integer({ min: 1, max: 40 }), { maxLength: 5 });
    assert(
      property(tuple(array(row, { maxLength: 60 }), runs), ([rows, lengths]) => {
        expect(folded(op, rows, lengths)).toEqual(want(rows));
      }),
      { numRuns: 200, seed: 5 },
    );
  }

  test('sum', () => {
    check('sum', (rows) =>
      Array.from({ length: STEPS }, (_, step) =>
        sum(rows.flatMap((one) => (one[step] === undefined ? [] : [one[step]]))),
      ),
    );
  });

  test('avg', () => {
    check('avg', (rows) =>
      folded(
        'avg',
        rows,
        rows.map(() => 1),
      ),
    );
  });
});
