// Aggregations whose groups are single values: the input streams by, and only the groups are held.

import type { PositionRange } from '../ast.ts';
import type { Evaluation } from './evaluation.ts';
import { finishFold, type FoldOp, foldRows, type FoldState, hasCounts, hasRest } from './fold.ts';
import { type Grouping, groupSeries } from './grouping.ts';
import { HistogramFold, nameOf } from './histogram-fold.ts';
import { BaseOperator, type Operator } from './operator.ts';
import { copyRows, type Tile } from './tile.ts';

/** Bytes of a fold's cell besides its tile. */
const STATE_BYTES = 16;

export class FoldAggregate extends BaseOperator {
  private readonly op: FoldOp;
  private readonly grouping: Grouping;
  private readonly input: Operator;
  private readonly inputPos: PositionRange;
  private result: Tile | undefined;

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
    const { steps } = this.grid;
    const state = this.makeState(groups.series.labels.length);
    const foldRow = foldRows[this.op];
    let histograms: HistogramFold | undefined;
    await this.evaluation.stream(this.input, this.op, (tile, first, rows) => {
      if (tile.histograms !== undefined)
        histograms ??= new HistogramFold(this.op, this.inputPos, this.evaluation.annotations);
      for (let i = 0; i < rows; i++) {
        const at = groups.of[first + i]! * steps;
        histograms?.takeRow(tile, i * steps, state.cells, at, steps, () =>
          nameOf(this.input.series, first + i),
        );
        foldRow(state, tile, i * steps, at, steps);
      }
    });
    finishFold(this.op, state);
    histograms?.finish(state.cells);
    this.evaluation.budget.give(state.cells.values.length * STATE_BYTES);
    this.result = state.cells;
  }

  read(from: number, to: number, into: Tile, row: number): void {
    copyRows(this.result!, from, into, row, to - from, this.grid.steps);
  }

  private makeState(rows: number): FoldState {
    const cells = rows * this.grid.steps;
    this.evaluation.budget.take(cells * STATE_BYTES, this.op);
    return {
      cells: this.evaluation.take(rows, this.grid.steps, this.op),
      rest: new Float64Array(hasRest(this.op) ? cells : 0),
      counts: new Float64Array(hasCounts(this.op) ? cells : 0),
      means: undefined,
      meaned: undefined,
    };
  }
}
