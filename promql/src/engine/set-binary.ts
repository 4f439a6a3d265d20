// and, or, unless: which series pass depends, step by step, on whether a matching one is on the other side.
//
// Only presence is held, one byte for each match group and step; both sides stream by.

import type { VectorMatching } from '../ast.ts';
import type { SetOp } from './arithmetic.ts';
import type { Evaluation } from './evaluation.ts';
import { matchSignatures } from './matching.ts';
import { BaseOperator, type Operator } from './operator.ts';
import { listOf } from './series-list.ts';
import type { Tile } from './tile.ts';

export class SetBinary extends BaseOperator {
  private readonly op: SetOp;
  private readonly matching: VectorMatching;
  private readonly lhs: Operator;
  private readonly rhs: Operator;
  /** Match groups of the rows that are filtered: the left ones, or for `or` the right ones. */
  private groups: Uint32Array = new Uint32Array(0);
  /** Groups × steps of the other side. */
  private present = new Uint8Array(0);

  constructor(op: SetOp, matching: VectorMatching, lhs: Operator, rhs: Operator, evaluation: Evaluation) {
    super(lhs.grid, evaluation);
    this.op = op;
    this.matching = matching;
    this.lhs = lhs;
    this.rhs = rhs;
  }

  async open(): Promise<void> {
    await this.lhs.open();
    await this.rhs.open();
    const { series: left } = this.lhs;
    const { series: right } = this.rhs;
    const { left: l, right: r, count } = matchSignatures(left, right, this.matching);
    const isOr = this.op === 'or';
    this.groups = isOr ? r : l;
    await this.findPresent(isOr ? this.lhs : this.rhs, isOr ? l : r, count);
    this.series = isOr ? joined(left, right) : left;
  }

  read(from: number, to: number, into: Tile, row: number): void {
    const { steps } = this.grid;
    const lefts = this.lhs.series.count;
    for (let i = from; i < to; i++) {
      const at = (row + i - from) * steps;
      if (this.op !== 'or') {
        this.lhs.read(i, i + 1, into, row + i - from);
        this.filter(into.valid, at, this.groups[i]!, this.op === 'and');
      } else if (i < lefts) {
        this.lhs.read(i, i + 1, into, row + i - from);
      } else {
        this.rhs.read(i - lefts, i - lefts + 1, into, row + i - from);
        this.filter(into.valid, at, this.groups[i - lefts]!, false);
      }
    }
  }

  /** Takes away the samples where the group's presence on the other side is not the wanted one. */
  private filter(valid: Uint8Array, at: number, group: number, want: boolean): void {
    const { steps } = this.grid;
    for (let step = 0; step < steps; step++) {
      if ((this.present[group * steps + step] !== 0) !== want) valid[at + step] = 0;
    }
  }

  private async findPresent(side: Operator, groups: Uint32Array, count: number): Promise<void> {
    const { steps } = this.grid;
    this.evaluation.budget.take(count * steps, this.op);
    this.present = new Uint8Array(count * steps);
    await this.evaluation.stream(side, this.op, (tile, first, rows) => {
      for (let i = 0; i < rows; i++) {
        const base = groups[first + i]! * steps;
        for (let step = 0; step < steps; step++) this.present[base + step]! |= tile.valid[i * steps + step]!;
      }
    });
  }
}

function joined(left: Operator['series'], right: Operator['series']): Operator['series'] {
  return listOf(
    [...left.labels, ...right.labels],
    right.count === 0,
    Uint8Array.from([...left.doomed, ...right.doomed]),
  );
}
