// quantile(φ, …): the one aggregation that needs all samples of a group at once.

import type { PositionRange } from '../ast.ts';
import { largest, smallest } from './arithmetic.ts';
import type { Evaluation } from './evaluation.ts';
import { type Grouping, groupSeries, rowsOfGroups } from './grouping.ts';
import { BaseOperator, type Operator } from './operator.ts';
import { quantile } from './quantile.ts';
import { FLOAT, HISTOGRAM, type Tile } from './tile.ts';

export class QuantileAggregate extends BaseOperator {
  private readonly phi: Operator;
  private readonly pos: PositionRange;
  private readonly inputPos: PositionRange;
  private readonly grouping: Grouping;
  private readonly input: Operator;
  private rows: readonly (readonly number[])[] = [];
  private phis: Float64Array = new Float64Array(0);

  constructor(
    phi: Operator,
    pos: PositionRange,
    grouping: Grouping,
    input: Operator,
    inputPos: PositionRange,
    evaluation: Evaluation,
  ) {
    super(input.grid, evaluation);
    this.phi = phi;
    this.pos = pos;
    this.inputPos = inputPos;
    this.grouping = grouping;
    this.input = input;
  }

  async open(): Promise<void> {
    await this.phi.open();
    this.phis = await this.evaluation.scalarRow(this.phi);
    await this.input.open();
    const groups = groupSeries(this.input.series, this.grouping);
    this.series = groups.series;
    this.rows = rowsOfGroups(groups);
    this.warn();
  }

  read(from: number, to: number, into: Tile, row: number): void {
    for (let group = from; group < to; group++) {
      this.readGroup(this.rows[group]!, into, (row + group - from) * this.grid.steps);
      this.evaluation.check();
    }
  }

  private readGroup(rows: readonly number[], into: Tile, at: number): void {
    const { steps } = this.grid;
    const tile = this.evaluation.lend(rows.length, steps, 'quantile');
    rows.forEach((row, i) => this.input.read(row, row + 1, tile, i));
    if (tile.histograms !== undefined && tile.valid.includes(HISTOGRAM)) {
      this.evaluation.annotations.ignoredInAggregation('quantile', this.inputPos);
    }
    const numbers = new Float64Array(rows.length);
    for (let step = 0; step < steps; step++) {
      let count = 0;
      for (let cell = step; cell < tile.values.length; cell += steps) {
        if (tile.valid[cell] === FLOAT) numbers[count++] = tile.values[cell]!;
      }
      into.valid[at + step] = count > 0 ? 1 : 0;
      if (count > 0) into.values[at + step] = quantile(this.phis[step]!, numbers.subarray(0, count));
    }
    this.evaluation.giveLent(tile);
  }

  /** Says which φ are outside [0, 1]: NaN, or else the largest and the smallest. */
  private warn(): void {
    const { annotations } = this.evaluation;
    const most = this.phis.reduce(largest, -Number.MAX_VALUE);
    const least = this.phis.reduce(smallest, Number.MAX_VALUE);
    if (this.phis.some(Number.isNaN)) annotations.invalidQuantile(NaN, this.pos);
    if (most > 1) annotations.invalidQuantile(most, this.pos);
    if (least < 0) annotations.invalidQuantile(least, this.pos);
  }
}
