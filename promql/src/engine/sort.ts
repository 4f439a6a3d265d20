// sort(), sort_desc(), sort_by_label() and sort_by_label_desc(), for instant queries: the order of rows is the result's.

import { compareLabels, type Labels } from '@flotilla/model';
import type { Evaluation } from './evaluation.ts';
import type { Operator } from './operator.ts';
import { pickSeries } from './series-list.ts';
import { HeldOperator } from './simple-operators.ts';
import { copyRows, NOTHING } from './tile.ts';

interface Row {
  readonly index: number;
  readonly labels: Labels;
  readonly value: number;
}

export type RowOrder = (a: Row, b: Row) => number;

/** By value; NaN comes last either way. */
export function byValue(sign: 1 | -1): RowOrder {
  return (a, b) => {
    const nans = Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value));
    if (nans !== 0 || Number.isNaN(a.value)) return nans;
    return a.value === b.value ? 0 : (a.value < b.value ? -1 : 1) * sign;
  };
}

/** By the values of some labels, numbers in them by size; then by all labels. */
export function byLabels(names: readonly string[], sign: 1 | -1): RowOrder {
  return (a, b) => {
    for (const name of names) {
      const left = a.labels.get(name);
      const right = b.labels.get(name);
      if (left !== right) return (comesFirst(left, right) ? -1 : 1) * sign;
    }
    return compareLabels(a.labels, b.labels) * sign;
  };
}

/** Natural order: runs of digits compare as numbers, the rest as text. Equal to the end, the shorter is first. */
function comesFirst(a: string, b: string): boolean {
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < left.length; i++) {
    if (i >= right.length) return false;
    const l = left[i]!;
    const r = right[i]!;
    const numbers = /^\d/.test(l) && /^\d/.test(r);
    const same = numbers ? Number(l) === Number(r) : l === r;
    if (!same) return numbers ? Number(l) < Number(r) : l < r;
    if (i === left.length - 1) return true;
  }
  return false;
}

export class Sort extends HeldOperator {
  private readonly input: Operator;
  private readonly order: RowOrder;

  /** `input` has one step. */
  constructor(input: Operator, order: RowOrder, evaluation: Evaluation) {
    super(input.grid, evaluation);
    this.input = input;
    this.order = order;
  }

  async open(): Promise<void> {
    await this.input.open();
    const { labels } = this.input.series;
    const tile = await this.evaluation.materialize(this.input, 'sort');
    const rows = labels
      .map((one, index) => ({ index, labels: one, value: tile.values[index]! }))
      .filter(({ index }) => tile.valid[index] !== NOTHING)
      .toSorted(this.order);
    this.series = pickSeries(
      this.input.series,
      rows.map((row) => row.index),
    );
    this.held = this.evaluation.take(rows.length, 1, 'sort');
    rows.forEach((row, i) => copyRows(tile, row.index, this.held, i, 1, 1));
    this.evaluation.give(tile);
  }
}
