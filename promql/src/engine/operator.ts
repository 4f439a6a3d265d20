// Operators: the nodes of a query's plan.
//
// open() fixes the labels of all series and does what needs every row of an input; then read() computes the rows that
// are asked for, in any order, into a tile of the caller. So a chain of row-wise operators under an aggregation never
// holds more than one batch of rows.

import type { Evaluation } from './evaluation.ts';
import type { Grid } from './grid.ts';
import type { SampleCounter } from './sample-counter.ts';
import { NO_SERIES, ONE_SERIES, type SeriesList } from './series-list.ts';
import type { Tile } from './tile.ts';

export interface Operator {
  readonly grid: Grid;
  /** Set by open(). A series may turn out to have no sample at any step. */
  readonly series: SeriesList;
  /** Opens the inputs first. Called once, when all selectors have their series. */
  open(): Promise<void>;
  /** Writes rows [from, to) as the rows of `into` from `row` on, every cell of them. */
  read(from: number, to: number, into: Tile, row: number): void;
}

/** The common part of operators that fill in their series in open(). */
export abstract class BaseOperator implements Operator {
  readonly grid: Grid;
  series: SeriesList = NO_SERIES;
  protected readonly evaluation: Evaluation;
  /** For samples that it looks at. */
  protected readonly counter: SampleCounter;

  constructor(grid: Grid, evaluation: Evaluation) {
    this.grid = grid;
    this.evaluation = evaluation;
    this.counter = evaluation.counter;
  }

  abstract open(): Promise<void>;
  abstract read(from: number, to: number, into: Tile, row: number): void;
}

/** A row-wise operator over one input: it reads the input's rows into the caller's tile and changes them there. */
export abstract class MapOperator extends BaseOperator {
  protected readonly input: Operator;

  constructor(input: Operator, evaluation: Evaluation) {
    super(input.grid, evaluation);
    this.input = input;
  }

  async open(): Promise<void> {
    await this.input.open();
    this.series = this.relabel(this.input.series);
  }

  read(from: number, to: number, into: Tile, row: number): void {
    this.input.read(from, to, into, row);
    const { steps } = this.grid;
    for (let i = 0; i < to - from; i++) this.mapRow(into, (row + i) * steps, from + i);
  }

  protected relabel(series: SeriesList): SeriesList {
    return series;
  }

  /** Changes the cells from `at` on, `grid.steps` of them, which are row `index` of the input. */
  protected abstract mapRow(tile: Tile, at: number, index: number): void;
}

/** A scalar whose row is computed in open(). */
export abstract class ScalarOperator extends BaseOperator {
  protected row: Float64Array = new Float64Array(0);

  constructor(grid: Grid, evaluation: Evaluation) {
    super(grid, evaluation);
    this.series = ONE_SERIES;
  }

  async open(): Promise<void> {
    this.row = await this.compute(new Float64Array(this.grid.steps));
  }

  read(_from: number, _to: number, into: Tile, row: number): void {
    const at = row * this.grid.steps;
    into.values.set(this.row, at);
    into.valid.fill(1, at, at + this.grid.steps);
  }

  /** Fills `row` with a value for each step. */
  protected abstract compute(row: Float64Array): Promise<Float64Array>;
}
