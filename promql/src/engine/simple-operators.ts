// The small operators: constants, functions of single samples, and what turns scalars into vectors and back.

import type { FloatHistogram } from '@flotilla/model';
import { largest, smallest } from './arithmetic.ts';
import type { Evaluation } from './evaluation.ts';
import type { Grid } from './grid.ts';
import { BaseOperator, MapOperator, type Operator, ScalarOperator } from './operator.ts';
import { NO_SERIES, type SeriesList, withoutNames } from './series-list.ts';
import {
  copyRows,
  dropHistograms,
  FLOAT,
  HISTOGRAM,
  histogramAt,
  makeTile,
  NOTHING,
  setHistogram,
  type Tile,
} from './tile.ts';

/** A scalar that depends on nothing but the step. */
export class StepScalar extends ScalarOperator {
  private readonly valueAt: (timeMs: number) => number;

  constructor(valueAt: (timeMs: number) => number, grid: Grid, evaluation: Evaluation) {
    super(grid, evaluation);
    this.valueAt = valueAt;
  }

  protected compute(row: Float64Array): Promise<Float64Array> {
    const { startMs, stepMs } = this.grid;
    for (let step = 0; step < row.length; step++) row[step] = this.valueAt(startMs + step * stepMs);
    return Promise.resolve(row);
  }
}

/** A scalar from other scalars. */
export class ScalarFunction extends ScalarOperator {
  private readonly inputs: readonly Operator[];
  private readonly fold: (...values: number[]) => number;

  constructor(
    inputs: readonly Operator[],
    fold: (...values: number[]) => number,
    grid: Grid,
    evaluation: Evaluation,
  ) {
    super(grid, evaluation);
    this.inputs = inputs;
    this.fold = fold;
  }

  protected async compute(row: Float64Array): Promise<Float64Array> {
    const rows: Float64Array[] = [];
    for (const input of this.inputs) {
      await input.open();
      rows.push(await this.evaluation.scalarRow(input));
    }
    return row.map((_, step) => this.fold(...rows.map((one) => one[step]!)));
  }
}

/** scalar(): the value of the only sample at a step, else NaN. */
export class ScalarOf extends ScalarOperator {
  private readonly input: Operator;

  constructor(input: Operator, evaluation: Evaluation) {
    super(input.grid, evaluation);
    this.input = input;
  }

  protected async compute(row: Float64Array): Promise<Float64Array> {
    await this.input.open();
    const seen = new Uint8Array(row.length);
    row.fill(NaN);
    await this.evaluation.stream(this.input, 'scalar', (tile, _first, rows) => {
      for (let cell = 0; cell < rows * row.length; cell++) {
        if (tile.valid[cell] !== FLOAT) continue;
        const step = cell % row.length;
        row[step] = seen[step] === 1 ? NaN : tile.values[cell]!;
        seen[step] = 1;
      }
    });
    return row;
  }
}

/** Changes every float by a function of its value and of the function's scalar arguments at that step; histograms go. */
export class ValueFunction extends MapOperator {
  private readonly change: (value: number, a: number, b: number) => number;
  private readonly params: readonly Operator[];
  private rows: readonly Float64Array[] = [];

  constructor(
    input: Operator,
    change: (value: number, a: number, b: number) => number,
    params: readonly Operator[],
    evaluation: Evaluation,
  ) {
    super(input, evaluation);
    this.change = change;
    this.params = params;
  }

  override async open(): Promise<void> {
    await super.open();
    const rows: Float64Array[] = [];
    for (const param of this.params) {
      await param.open();
      rows.push(await this.evaluation.scalarRow(param));
    }
    this.rows = rows;
  }

  protected override relabel(series: SeriesList): SeriesList {
    return withoutNames(series, this.evaluation.delayedNameRemoval);
  }

  protected mapRow(tile: Tile, at: number): void {
    const { change } = this;
    const [a, b] = this.rows;
    dropHistograms(tile, at, at + this.grid.steps);
    for (let step = 0; step < this.grid.steps; step++) {
      if (tile.valid[at + step] === 0) continue;
      tile.values[at + step] = change(tile.values[at + step]!, a?.[step] ?? 0, b?.[step] ?? 0);
    }
  }
}

/** Unary minus, which makes gauges of histograms. */
export class Negation extends MapOperator {
  protected override relabel(series: SeriesList): SeriesList {
    return withoutNames(series, this.evaluation.delayedNameRemoval);
  }

  protected mapRow(tile: Tile, at: number): void {
    for (let cell = at; cell < at + this.grid.steps; cell++) {
      tile.values[cell] = -tile.values[cell]!;
      if (tile.valid[cell] === HISTOGRAM) setHistogram(tile, cell, tile.histograms![cell]!.times(-1));
    }
  }
}

/** A number for each histogram; floats go. */
export class HistogramValue extends MapOperator {
  private readonly compute: (histogram: FloatHistogram) => number;

  constructor(input: Operator, compute: (histogram: FloatHistogram) => number, evaluation: Evaluation) {
    super(input, evaluation);
    this.compute = compute;
  }

  protected override relabel(series: SeriesList): SeriesList {
    return withoutNames(series, this.evaluation.delayedNameRemoval);
  }

  protected mapRow(tile: Tile, at: number): void {
    for (let cell = at; cell < at + this.grid.steps; cell++) {
      const histogram = histogramAt(tile, cell);
      tile.valid[cell] = histogram === undefined ? NOTHING : FLOAT;
      if (histogram !== undefined) tile.values[cell] = this.compute(histogram);
    }
  }
}

/** The floats as they are; histograms go. */
export class FloatsOnly extends MapOperator {
  protected mapRow(tile: Tile, at: number): void {
    dropHistograms(tile, at, at + this.grid.steps);
  }
}

/** clamp(): like a ValueFunction, but nothing passes where the bounds are the wrong way round. */
export class Clamp extends ValueFunction {
  private readonly bounds: readonly [Operator, Operator];
  private low: Float64Array = new Float64Array(0);
  private high: Float64Array = new Float64Array(0);

  constructor(input: Operator, bounds: readonly [Operator, Operator], evaluation: Evaluation) {
    super(input, clampValue, bounds, evaluation);
    this.bounds = bounds;
  }

  override async open(): Promise<void> {
    await super.open();
    this.low = await this.evaluation.scalarRow(this.bounds[0]);
    this.high = await this.evaluation.scalarRow(this.bounds[1]);
  }

  protected override mapRow(tile: Tile, at: number): void {
    super.mapRow(tile, at);
    for (let step = 0; step < this.grid.steps; step++) {
      if (this.high[step]! < this.low[step]!) tile.valid[at + step] = 0;
    }
  }
}

export function clampValue(value: number, low: number, high: number): number {
  return largest(low, smallest(high, value));
}

/** timestamp() of anything but a selector: the time of the step. */
export class StepTime extends MapOperator {
  protected override relabel(series: SeriesList): SeriesList {
    return withoutNames(series, this.evaluation.delayedNameRemoval);
  }

  protected mapRow(tile: Tile, at: number): void {
    const { startMs, stepMs, steps } = this.grid;
    for (let step = 0; step < steps; step++) {
      tile.values[at + step] = (startMs + step * stepMs) / 1000;
      if (tile.valid[at + step] === HISTOGRAM) tile.valid[at + step] = FLOAT;
    }
  }
}

/** The same rows under other labels. */
export class Renamed extends MapOperator {
  private readonly rename: (series: SeriesList) => SeriesList;

  constructor(input: Operator, rename: (series: SeriesList) => SeriesList, evaluation: Evaluation) {
    super(input, evaluation);
    this.rename = rename;
  }

  protected override relabel(series: SeriesList): SeriesList {
    return this.rename(series);
  }

  protected mapRow(): void {}
}

/** A function of what is never there. */
export class Nothing extends BaseOperator {
  private readonly input: Operator;

  constructor(input: Operator, evaluation: Evaluation) {
    super(input.grid, evaluation);
    this.input = input;
  }

  async open(): Promise<void> {
    await this.input.open();
    await this.evaluation.drain(this.input, this.input.series.labels.keys()); // For its annotations.
    this.series = NO_SERIES;
  }

  read(): void {}
}

/** Evaluates at one step what is the same at all, and repeats it. */
export class Replicate extends BaseOperator {
  private readonly input: Operator;
  private one: Tile = makeTile(0);

  constructor(input: Operator, grid: Grid, evaluation: Evaluation) {
    super(grid, evaluation);
    this.input = input;
  }

  async open(): Promise<void> {
    await this.input.open();
    this.series = this.input.series;
    this.one = await this.evaluation.materialize(this.input, 'a step-invariant expression');
  }

  read(from: number, to: number, into: Tile, row: number): void {
    const { steps } = this.grid;
    for (let i = from; i < to; i++) {
      const at = (row + i - from) * steps;
      into.values.fill(this.one.values[i]!, at, at + steps);
      into.valid.fill(this.one.valid[i]!, at, at + steps);
      const histogram = histogramAt(this.one, i);
      if (histogram === undefined) continue;
      for (let step = 0; step < steps; step++) setHistogram(into, at + step, histogram);
    }
  }
}

/** A vector of the rows of a tile that was computed in open(). */
export abstract class HeldOperator extends BaseOperator {
  protected held: Tile = makeTile(0);

  read(from: number, to: number, into: Tile, row: number): void {
    copyRows(this.held, from, into, row, to - from, this.grid.steps);
  }
}
