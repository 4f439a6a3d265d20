// Binary operators with a scalar on one side or on both.

import type { BinaryExpr } from '../ast.ts';
import { type Cells, combine, compare, isComparison, isSetOp, isTrim } from './arithmetic.ts';
import type { Evaluation } from './evaluation.ts';
import { MapOperator, type Operator, ScalarOperator } from './operator.ts';
import { type SeriesList, withoutNames } from './series-list.ts';
import { sampleAt, writeCombined } from './binary-samples.ts';
import { StepNotes } from './step-notes.ts';
import { copyCell, FLOAT, HISTOGRAM, makeTile, NOTHING, type Tile } from './tile.ts';

/** Scalar op scalar; a comparison gives 0 or 1. */
export class ScalarBinary extends ScalarOperator {
  private readonly expr: BinaryExpr;
  private readonly lhs: Operator;
  private readonly rhs: Operator;

  constructor(expr: BinaryExpr, lhs: Operator, rhs: Operator, evaluation: Evaluation) {
    super(lhs.grid, evaluation);
    this.expr = expr;
    this.lhs = lhs;
    this.rhs = rhs;
  }

  protected async compute(row: Float64Array): Promise<Float64Array> {
    const { op } = this.expr;
    await this.lhs.open();
    await this.rhs.open();
    const l = { values: await this.evaluation.scalarRow(this.lhs), at: 0 };
    const r = { values: await this.evaluation.scalarRow(this.rhs), at: 0 };
    if (isComparison(op)) {
      const holds = new Uint8Array(row.length);
      compare(op, l, r, holds, 0, row.length);
      return Float64Array.from(holds);
    }
    if (!isSetOp(op) && !isTrim(op)) combine(op, l, r, { values: row, at: 0 }, row.length);
    return row;
  }
}

/** Vector op scalar, or scalar op vector. A comparison keeps the vector's samples, whichever side it is on. */
export class VectorScalarBinary extends MapOperator {
  private readonly expr: BinaryExpr;
  private readonly scalar: Operator;
  private readonly scalarFirst: boolean;
  private row: Float64Array = new Float64Array(0);
  private holds = new Uint8Array(0);
  /** The histograms of the row at hand. */
  private scratch = makeTile(0);
  private readonly notes: StepNotes;

  constructor(expr: BinaryExpr, vector: Operator, scalar: Operator, first: boolean, evaluation: Evaluation) {
    super(vector, evaluation);
    this.expr = expr;
    this.scalar = scalar;
    this.scalarFirst = first;
    this.notes = new StepNotes(evaluation.annotations);
  }

  override async open(): Promise<void> {
    // The left side first: the first error counts.
    if (!this.scalarFirst) await super.open();
    await this.scalar.open();
    this.row = await this.evaluation.scalarRow(this.scalar);
    this.holds = new Uint8Array(this.row.length);
    this.scratch = makeTile(this.row.length);
    if (this.scalarFirst) await super.open();
  }

  protected override relabel(series: SeriesList): SeriesList {
    const { op, returnBool } = this.expr;
    if ((isComparison(op) && !returnBool) || isTrim(op)) return series;
    return withoutNames(series, this.evaluation.delayedNameRemoval);
  }

  protected mapRow(tile: Tile, at: number, index: number): void {
    const { op, returnBool } = this.expr;
    const { steps } = this.grid;
    const histograms = tile.histograms !== undefined && this.takeHistograms(tile, at);
    const cells: Cells = { values: tile.values, at };
    const scalar: Cells = { values: this.row, at: 0 };
    const [l, r] = this.scalarFirst ? [scalar, cells] : [cells, scalar];
    if (isTrim(op)) {
      this.refuseFloats(tile.valid, at, index);
    } else if (isComparison(op)) {
      compare(op, l, r, this.holds, 0, steps);
      if (returnBool) tile.values.set(this.holds, at);
      else for (let step = 0; step < steps; step++) tile.valid[at + step]! &= this.holds[step]!;
    } else if (!isSetOp(op)) {
      combine(op, l, r, cells, steps);
    }
    if (histograms) this.putHistograms(tile, at, index);
  }

  private refuseFloats(valid: Uint8Array, at: number, index: number): void {
    const { op, pos } = this.expr;
    for (let step = 0; step < this.grid.steps; step++) {
      if (valid[at + step] === FLOAT)
        this.notes.add(step, index, (said) => said.incompatibleTypes(op, 'float', 'float', pos));
      valid[at + step] = NOTHING;
    }
  }

  /** Moves the histograms of a row aside, so that the rest of it is floats; false if there is none. */
  private takeHistograms(tile: Tile, at: number): boolean {
    let found = false;
    for (let step = 0; step < this.grid.steps; step++) {
      this.scratch.valid[step] = NOTHING;
      if (tile.valid[at + step] !== HISTOGRAM) continue;
      found = true;
      copyCell(tile, at + step, this.scratch, step);
      tile.valid[at + step] = NOTHING;
    }
    return found;
  }

  private putHistograms(tile: Tile, at: number, index: number): void {
    for (let step = 0; step < this.grid.steps; step++) {
      if (this.scratch.valid[step] !== HISTOGRAM) continue;
      const mine = sampleAt(this.scratch, step);
      const scalar = { value: this.row[step]!, histogram: undefined };
      const [l, r] = this.scalarFirst ? [scalar, mine] : [mine, scalar];
      writeCombined(this.expr, l, r, tile, at + step, (note) => this.notes.add(step, index, note));
    }
  }
}
