// Aggregations whose groups are single values. Of large groups the input streams by, and only the groups are held; small
// ones are computed one by one when they are asked for.

import { freeMemory } from '@flotilla/model';
import type { PositionRange } from '../ast.ts';
import type { Evaluation } from './evaluation.ts';
import { clearFold, finishFold, type FoldOp, foldRun, type FoldState, hasCounts, hasRest } from './fold.ts';
import { type Grouping, type Groups, groupSeries, rowsOfGroups } from './grouping.ts';
import { HistogramFold, nameOf } from './histogram-fold.ts';
import { BaseOperator, type Operator } from './operator.ts';
import { copyRows, type Tile } from './tile.ts';

/** Bytes of a fold's cell besides its tile. */
const STATE_BYTES = 16;
/** Groups of as many series as this, on average, are folded one by one. */
const SMALL_GROUP = 16;
/** Rows of a group that are read at a time. */
const RUN_ROWS = 64;

export class FoldAggregate extends BaseOperator {
  private readonly op: FoldOp;
  private readonly grouping: Grouping;
  private readonly input: Operator;
  private readonly inputPos: PositionRange;
  /** All groups, unless they are folded on demand. */
  private result: Tile | undefined;
  /** For folding on demand: the rows of each group, the state of one, and some of its rows. */
  private rows: readonly (readonly number[])[] = [];
  private state: FoldState | undefined;
  private scratch: Tile | undefined;

  constructor(
    op: FoldOp,
    grouping: Grouping,
    input: Operator,
    inputPos: PositionRange,
    evaluation: Evaluation,
  ) {
    super(input.grid, evaluation);
    this.inputPos = inputPos;
    this.op = op;
    this.grouping = grouping;
    this.input = input;
  }

  async open(): Promise<void> {
    await this.input.open();
    const groups = groupSeries(this.input.series, this.grouping);
    this.series = groups.series;
    const rows = this.input.series.count;
    const count = groups.series.count;
    if (rows > count * SMALL_GROUP || this.evaluation.anyHistograms) await this.foldAll(groups);
    else this.foldOnDemand(groups);
  }

  /** With the rows as they come. */
  private async foldAll(groups: Groups): Promise<void> {
    const { steps } = this.grid;
    const state = this.makeState(groups.series.count);
    let histograms: HistogramFold | undefined;
    await this.evaluation.stream(this.input, this.op, (tile, first, rows) => {
      if (tile.histograms !== undefined)
        histograms ??= new HistogramFold(this.op, this.inputPos, this.evaluation.annotations);
      for (let i = 0; i < rows;) {
        const group = groups.of[first + i]!;
        const at = group * steps;
        let next = i + 1;
        if (histograms === undefined) while (next < rows && groups.of[first + next] === group) next++;
        const row = first + i;
        histograms?.takeRow(tile, i * steps, state.cells, at, steps, () => nameOf(this.input.series, row));
        foldRun(this.op, state, tile, i * steps, next - i, at);
        i = next;
      }
    });
    finishFold(this.op, state);
    histograms?.finish(state.cells);
    freeMemory(state.rest);
    freeMemory(state.counts);
    this.evaluation.budget.give(state.cells.values.length * STATE_BYTES);
    this.result = state.cells;
  }

  /** With the rows of a group when that is read: small groups are as many as their rows, so nothing is held of them. */
  private foldOnDemand(groups: Groups): void {
    this.rows = rowsOfGroups(groups);
    const most = this.rows.reduce((size, rows) => Math.max(size, rows.length), 0);
    this.state = this.makeState(1);
    this.scratch = this.evaluation.take(Math.min(most, RUN_ROWS), this.grid.steps, this.op);
  }

  read(from: number, to: number, into: Tile, row: number): void {
    if (this.result === undefined) {
      for (let group = from; group < to; group++) this.readGroup(group, into, row + group - from);
    } else {
      copyRows(this.result, from, into, row, to - from, this.grid.steps);
    }
  }

  private readGroup(group: number, into: Tile, row: number): void {
    const state = this.state!;
    const scratch = this.scratch!;
    const { steps } = this.grid;
    const rows = this.rows[group]!;
    clearFold(state);
    for (let first = 0; first < rows.length; first += RUN_ROWS) {
      const count = Math.min(RUN_ROWS, rows.length - first);
      for (let i = 0; i < count; i++) this.input.read(rows[first + i]!, rows[first + i]! + 1, scratch, i);
      foldRun(this.op, state, scratch, 0, count, 0);
    }
    finishFold(this.op, state);
    copyRows(state.cells, 0, into, row, 1, steps);
  }

  private makeState(rows: number): FoldState {
    const cells = rows * this.grid.steps;
    this.evaluation.budget.take(cells * STATE_BYTES, this.op);
    return {
      steps: this.grid.steps,
      cells: this.evaluation.take(rows, this.grid.steps, this.op),
      rest: new Float64Array(hasRest(this.op) ? cells : 0),
      counts: new Float64Array(hasCounts(this.op) ? cells : 0),
      means: undefined,
      meaned: undefined,
    };
  }
}
