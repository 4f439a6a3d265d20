// Arithmetic and comparisons between two vectors.
//
// Nearly always each match group has one series on either side, or one on the "one" side: then each result is a pair of
// rows that is known before any value is, and rows stream by. Everything else (several series of a group, which must
// not have samples at the same step; fill values) goes through StepwiseBinary.

import type { BinaryExpr, VectorMatching } from '../ast.ts';
import { type Arithmetic, combine, compare, isComparison, isTrim } from './arithmetic.ts';
import type { Evaluation } from './evaluation.ts';
import { matchSignatures, resultLabels, type Signatures } from './matching.ts';
import { BaseOperator, type Operator } from './operator.ts';
import { hasDuplicates, listOf, type SeriesList } from './series-list.ts';
import { stepwiseRows } from './stepwise-binary.ts';
import { sampleAt, writeCombined } from './binary-samples.ts';
import { StepNotes } from './step-notes.ts';
import { copyRows, FLOAT, NOTHING, type Tile } from './tile.ts';

/** A result row: the rows that it comes from. */
interface Pair {
  readonly left: number;
  readonly right: number;
}

export class VectorBinary extends BaseOperator {
  private readonly expr: BinaryExpr;
  private readonly matching: VectorMatching;
  private readonly lhs: Operator;
  private readonly rhs: Operator;
  private pairs: readonly Pair[] = [];
  /** The "one" side, held whole when its rows are read more than once. */
  private held: Tile | undefined;
  private scratch: Tile | undefined;
  private stepwise: Tile | undefined;
  private readonly notes: StepNotes;

  constructor(
    expr: BinaryExpr,
    matching: VectorMatching,
    lhs: Operator,
    rhs: Operator,
    evaluation: Evaluation,
  ) {
    super(lhs.grid, evaluation);
    this.expr = expr;
    this.matching = matching;
    this.lhs = lhs;
    this.rhs = rhs;
    this.notes = new StepNotes(evaluation.annotations);
  }

  async open(): Promise<void> {
    await this.lhs.open();
    await this.rhs.open();
    const signatures = matchSignatures(this.lhs.series, this.rhs.series, this.matching);
    const pairs = this.findPairs(signatures);
    const series = pairs && this.pairSeries(pairs);
    if (pairs === undefined || series === undefined || hasDuplicates(series)) {
      await this.openStepwise(signatures);
      return;
    }
    this.pairs = pairs;
    this.series = series;
    this.scratch = this.evaluation.take(1, this.grid.steps, this.expr.op);
    await this.drainUnmatched(pairs);
    if (this.matching.card === 'many-to-one') this.held = await this.hold(this.rhs);
    if (this.matching.card === 'one-to-many') this.held = await this.hold(this.lhs);
  }

  read(from: number, to: number, into: Tile, row: number): void {
    const { steps } = this.grid;
    if (this.stepwise !== undefined) {
      copyRows(this.stepwise, from, into, row, to - from, steps);
      return;
    }
    for (let i = from; i < to; i++) this.readPair(i, into, row + i - from);
  }

  /** All pairs, if no group has two series where one must be; else undefined. */
  private findPairs(signatures: Signatures): Pair[] | undefined {
    const { card, fillLeft, fillRight } = this.matching;
    if (fillLeft !== undefined || fillRight !== undefined) return undefined;
    const lefts = rowsBySignature(signatures.left, signatures.count);
    const rights = rowsBySignature(signatures.right, signatures.count);
    if (card !== 'many-to-one' && lefts === undefined) return undefined;
    if (card !== 'one-to-many' && rights === undefined) return undefined;
    const found: Pair[] = [];
    if (card === 'one-to-many') {
      signatures.right.forEach((id, right) => {
        if (lefts![id] !== -1) found.push({ left: lefts![id]!, right });
      });
      return found;
    }
    signatures.left.forEach((id, left) => {
      if (rights![id] !== -1) found.push({ left, right: rights![id]! });
    });
    return found;
  }

  private pairSeries(pairs: readonly Pair[]): SeriesList {
    const { op, returnBool } = this.expr;
    const swapped = this.matching.card === 'one-to-many';
    const drops = dropsName(op, returnBool && !this.evaluation.delayedNameRemoval);
    const labels = pairs.map(({ left, right }) => {
      const l = this.lhs.series.labels[left]!;
      const r = this.rhs.series.labels[right]!;
      return swapped ? resultLabels(r, l, this.matching, drops) : resultLabels(l, r, this.matching, drops);
    });
    const list = listOf(labels, false);
    if (returnBool && this.evaluation.delayedNameRemoval) list.doomed.fill(1);
    return list;
  }

  /** A query is warned about its whole text, matched or not. */
  private async drainUnmatched(pairs: readonly Pair[]): Promise<void> {
    const lefts = new Set(this.lhs.series.labels.keys());
    const rights = new Set(this.rhs.series.labels.keys());
    for (const { left, right } of pairs) {
      lefts.delete(left);
      rights.delete(right);
    }
    if (this.matching.card !== 'one-to-many') await this.evaluation.drain(this.lhs, lefts);
    if (this.matching.card !== 'many-to-one') await this.evaluation.drain(this.rhs, rights);
  }

  private async hold(side: Operator): Promise<Tile> {
    return this.evaluation.materialize(side, this.expr.op);
  }

  private readPair(pair: number, into: Tile, row: number): void {
    const { left, right } = this.pairs[pair]!;
    const { steps } = this.grid;
    const at = row * steps;
    const other = this.held ?? this.scratch!;
    const swapped = this.matching.card === 'one-to-many';
    // The many side, or the left one, is read into the result; the other side lies in `other` from otherAt on.
    if (swapped) this.rhs.read(right, right + 1, into, row);
    else this.lhs.read(left, left + 1, into, row);
    if (this.held === undefined) this.rhs.read(right, right + 1, other, 0);
    const otherAt = this.held === undefined ? 0 : (swapped ? left : right) * steps;
    if (into.histograms !== undefined || other.histograms !== undefined) {
      this.applyMixed(into, at, other, otherAt, swapped, pair);
      return;
    }
    for (let step = 0; step < steps; step++) into.valid[at + step]! &= other.valid[otherAt + step]!;
    this.apply(into, at, other, otherAt, swapped, pair);
  }

  private apply(into: Tile, at: number, other: Tile, otherAt: number, swapped: boolean, pair: number): void {
    const { op, returnBool } = this.expr;
    const { steps } = this.grid;
    const mine = { values: into.values, at };
    const theirs = { values: other.values, at: otherAt };
    const [l, r] = swapped ? [theirs, mine] : [mine, theirs];
    if (isTrim(op)) {
      this.refuseFloats(into.valid, at, pair);
    } else if (isComparison(op)) {
      const holds = new Uint8Array(steps);
      compare(op, l, r, holds, 0, steps);
      if (returnBool) {
        into.values.set(holds, at);
        return;
      }
      for (let step = 0; step < steps; step++) into.valid[at + step]! &= holds[step]!;
      if (swapped) into.values.set(other.values.subarray(otherAt, otherAt + steps), at);
    } else {
      combine(op as Arithmetic, l, r, mine, steps);
    }
  }

  private refuseFloats(valid: Uint8Array, at: number, pair: number): void {
    const { op, pos } = this.expr;
    for (let step = 0; step < this.grid.steps; step++) {
      if (valid[at + step] === FLOAT)
        this.notes.add(step, pair, (said) => said.incompatibleTypes(op, 'float', 'float', pos));
      valid[at + step] = NOTHING;
    }
  }

  /** As apply(), for rows that may hold histograms: those pairs are combined first, and their cells put aside. */
  private applyMixed(
    into: Tile,
    at: number,
    other: Tile,
    otherAt: number,
    swapped: boolean,
    pair: number,
  ): void {
    const { steps } = this.grid;
    const mixed: number[] = [];
    for (let step = 0; step < steps; step++) {
      const both = into.valid[at + step] !== NOTHING && other.valid[otherAt + step] !== NOTHING;
      if (!both) into.valid[at + step] = NOTHING;
      else if (into.valid[at + step] !== FLOAT || other.valid[otherAt + step] !== FLOAT) mixed.push(step);
    }
    const pairs = mixed.map((step) => [sampleAt(into, at + step), sampleAt(other, otherAt + step)] as const);
    for (const step of mixed) into.valid[at + step] = NOTHING;
    this.apply(into, at, other, otherAt, swapped, pair);
    mixed.forEach((step, i) => {
      const [mine, theirs] = pairs[i]!;
      const [l, r] = swapped ? [theirs, mine] : [mine, theirs];
      writeCombined(this.expr, l, r, into, at + step, (note) => this.notes.add(step, pair, note));
    });
  }

  private async openStepwise(signatures: Signatures): Promise<void> {
    const left = await this.hold(this.lhs);
    const right = await this.hold(this.rhs);
    const sides = {
      left: { series: this.lhs.series, tile: left, groups: signatures.left },
      right: { series: this.rhs.series, tile: right, groups: signatures.right },
      groupCount: signatures.count,
    };
    const { delayedNameRemoval: delayed } = this.evaluation;
    const drops = dropsName(this.expr.op, this.expr.returnBool && !delayed);
    const result = stepwiseRows(this.expr, this.matching, sides, this.grid.steps, drops, this.evaluation);
    this.series = listOf(result.labels, true);
    if (this.expr.returnBool && delayed) this.series.doomed.fill(1);
    const tile = this.evaluation.take(result.labels.length, this.grid.steps, this.expr.op);
    result.rows.forEach((row, i) => copyRows(row, 0, tile, i, 1, this.grid.steps));
    this.evaluation.give(left);
    this.evaluation.give(right);
    this.stepwise = tile;
  }
}

/** Whether the result is another metric than its operand. */
function dropsName(op: BinaryExpr['op'], anyway: boolean): boolean {
  return anyway || !(isComparison(op) || isTrim(op));
}

/** The row of each group, -1 for none; undefined if a group has two. */
function rowsBySignature(groups: Uint32Array, count: number): Int32Array | undefined {
  const rows = new Int32Array(count).fill(-1);
  for (let row = 0; row < groups.length; row++) {
    if (rows[groups[row]!] !== -1) return undefined;
    rows[groups[row]!] = row;
  }
  return rows;
}
