// Vector matching one step at a time, for match groups with several series on a side, and for fill values.
//
// This is the definition of vector matching, errors included; VectorBinary takes a short cut where no error is possible.

import type { FloatHistogram, Labels } from '@flotilla/model';
import type { BinaryExpr, VectorMatching } from '../ast.ts';
import { type Arithmetic, combine, compare, isComparison, isTrim } from './arithmetic.ts';
import { fail, failDuplicate } from './errors.ts';
import { matchGroupText, matchLabels, resultLabels } from './matching.ts';
import type { SeriesList } from './series-list.ts';
import { combineHistograms, type Sample, sampleAt } from './binary-samples.ts';
import type { Evaluation } from './evaluation.ts';
import type { Note } from './step-notes.ts';
import { FLOAT, makeTile, NOTHING, setHistogram, type Tile } from './tile.ts';

interface Side {
  readonly series: SeriesList;
  readonly tile: Tile;
  readonly groups: Uint32Array;
}

interface Sides {
  readonly left: Side;
  readonly right: Side;
  readonly groupCount: number;
}

interface StepwiseResult {
  readonly labels: readonly Labels[];
  readonly rows: readonly Tile[];
}

const NONE = -1;

export function stepwiseRows(
  expr: BinaryExpr,
  matching: VectorMatching,
  sides: Sides,
  steps: number,
  dropsName: boolean,
  evaluation: Evaluation,
): StepwiseResult {
  const matcher = new StepMatcher(expr, matching, sides, steps, dropsName, evaluation);
  for (let step = 0; step < steps; step++) {
    if (step % 64 === 0) evaluation.check();
    matcher.match(step);
    matcher.sayLast();
  }
  return matcher;
}

class StepMatcher implements StepwiseResult {
  readonly labels: Labels[] = [];
  readonly rows: Tile[] = [];
  private readonly evaluation: Evaluation;
  private note: Note | undefined;
  private readonly expr: BinaryExpr;
  private readonly matching: VectorMatching;
  private readonly steps: number;
  private readonly dropsName: boolean;
  private readonly swapped: boolean;
  private readonly many: Side;
  private readonly one: Side;
  private readonly fillMany: number | undefined;
  private readonly fillOne: number | undefined;
  /** The row of the "one" side in each group at this step. */
  private readonly oneRows: Int32Array;
  /** Results of each group at this step, to find two of the same labels. */
  private readonly matched: Set<number>[];
  private readonly rowOfPair = new Map<string, number>();
  private readonly rowOfLabels = new Map<string, number>();
  private readonly l = new Float64Array(1);
  private readonly r = new Float64Array(1);
  private readonly holds = new Uint8Array(1);

  constructor(
    expr: BinaryExpr,
    matching: VectorMatching,
    sides: Sides,
    steps: number,
    dropsName: boolean,
    evaluation: Evaluation,
  ) {
    this.evaluation = evaluation;
    this.expr = expr;
    this.matching = matching;
    this.steps = steps;
    this.dropsName = dropsName;
    this.swapped = matching.card === 'one-to-many';
    this.many = this.swapped ? sides.right : sides.left;
    this.one = this.swapped ? sides.left : sides.right;
    // Fill values are named after the sides as Prometheus names them after the swap for group_right.
    this.fillMany = matching.fillLeft;
    this.fillOne = matching.fillRight;
    this.oneRows = new Int32Array(sides.groupCount);
    this.matched = Array.from({ length: sides.groupCount }, () => new Set<number>());
  }

  match(step: number): void {
    const many = this.present(this.many, step);
    const one = this.present(this.one, step);
    const filled = this.fillMany !== undefined || this.fillOne !== undefined;
    if (many.length + one.length === 0) return;
    if ((many.length === 0 || one.length === 0) && !filled) return;
    this.oneRows.fill(NONE);
    for (const group of this.matched) group.clear();
    for (const row of one) this.placeOne(row);
    for (const row of many) {
      const partner = this.oneRows[this.many.groups[row]!]!;
      if (partner !== NONE || this.fillOne !== undefined) this.matchPair(row, partner, step);
    }
    if (this.fillMany === undefined) return;
    for (const row of one) {
      if (this.matched[this.one.groups[row]!]!.size === 0) this.matchPair(NONE, row, step);
    }
  }

  /** Makes the last note of a step. */
  sayLast(): void {
    this.note?.(this.evaluation.annotations);
    this.note = undefined;
  }

  private present(side: Side, step: number): number[] {
    const rows: number[] = [];
    side.groups.forEach((_group, row) => {
      if (side.tile.valid[row * this.steps + step] !== NOTHING) rows.push(row);
    });
    return rows;
  }

  private placeOne(row: number): void {
    const group = this.one.groups[row]!;
    const other = this.oneRows[group]!;
    if (other !== NONE) {
      const labels = this.one.series.labels[row]!;
      const both = [labels.toString(), this.one.series.labels[other]!.toString()].toSorted();
      const side = this.swapped ? 'left' : 'right';
      const text = matchGroupText(labels, this.matching);
      const where = `found duplicate series for the match group ${text} on the ${side} hand-side of the operation`;
      const why = 'many-to-many matching not allowed: matching labels must be unique on one side';
      fail(`${where}: [${both.join(', ')}];${why}`);
    }
    this.oneRows[group] = row;
  }

  /** A pair of rows, of which one may be filled in. */
  private matchPair(many: number, one: number, step: number): void {
    const group = many === NONE ? this.one.groups[one]! : this.many.groups[many]!;
    const m = many === NONE ? fillSample(this.fillMany!) : sampleAt(this.many.tile, many * this.steps + step);
    const o = one === NONE ? fillSample(this.fillOne!) : sampleAt(this.one.tile, one * this.steps + step);
    const result = this.swapped ? this.compute(o, m) : this.compute(m, o);
    if (result === undefined) return;
    const row = this.resultRow(many, one);
    this.checkUnique(group, row);
    if (result === 'unequal') return;
    const tile = this.rows[row]!;
    if (tile.valid[step] !== NOTHING) failDuplicate();
    if (result.histogram !== undefined) setHistogram(tile, step, result.histogram);
    else {
      tile.valid[step] = FLOAT;
      tile.values[step] = result.value;
    }
  }

  private checkUnique(group: number, row: number): void {
    const matched = this.matched[group]!;
    if (this.matching.card === 'one-to-one' && matched.size > 0) {
      fail('multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)');
    }
    if (matched.has(row)) fail('multiple matches for labels: grouping labels must ensure unique matches');
    matched.add(row);
  }

  /** Undefined if the operator makes nothing of the two; 'unequal' if a comparison drops them. */
  private compute(left: Sample, right: Sample): Sample | 'unequal' | undefined {
    const { op, returnBool, pos } = this.expr;
    const say = (note: Note): void => {
      this.note = note;
    };
    if (left.histogram !== undefined || right.histogram !== undefined) {
      const histogram = combineHistograms(this.expr, left, right, say);
      if (histogram === undefined || !returnBool) return histogram && sampleOf(histogram);
      return { value: histogram === 'unequal' ? 0 : 1, histogram: undefined };
    }
    if (isTrim(op)) {
      say((annotations) => annotations.incompatibleTypes(op, 'float', 'float', pos));
      return undefined;
    }
    this.l[0] = left.value;
    this.r[0] = right.value;
    const l = { values: this.l, at: 0 };
    const r = { values: this.r, at: 0 };
    if (!isComparison(op)) {
      combine(op as Arithmetic, l, r, l, 1);
      return { value: this.l[0], histogram: undefined };
    }
    compare(op, l, r, this.holds, 0, 1);
    if (returnBool) return { value: this.holds[0]!, histogram: undefined };
    return this.holds[0] === 1 ? left : 'unequal';
  }

  private resultRow(many: number, one: number): number {
    const pair = `${many}/${one}`;
    const known = this.rowOfPair.get(pair);
    if (known !== undefined) return known;
    const labels = resultLabels(
      this.labelsOf(this.many, many, this.one, one),
      this.labelsOf(this.one, one, this.many, many),
      this.matching,
      this.dropsName,
    );
    let row = this.rowOfLabels.get(labels.key);
    if (row === undefined) {
      row = this.labels.push(labels) - 1;
      this.rows.push(makeTile(this.steps));
      this.rowOfLabels.set(labels.key, row);
    }
    this.rowOfPair.set(pair, row);
    return row;
  }

  /** A filled-in series has the labels that it would have matched by. */
  private labelsOf(side: Side, row: number, other: Side, otherRow: number): Labels {
    return row === NONE
      ? matchLabels(other.series.labels[otherRow]!, this.matching)
      : side.series.labels[row]!;
  }
}

function fillSample(value: number): Sample {
  return { value, histogram: undefined };
}

function sampleOf(histogram: FloatHistogram | 'unequal'): Sample | 'unequal' {
  return histogram === 'unequal' ? histogram : { value: 0, histogram };
}
