// Makes the labels of an operator unique again after something took a label away.
//
// Series that came out equal become one if no two of them have a sample at the same step; else the query fails. A query
// whose labels stay unique, which is nearly every one, pays one look at them and nothing per sample.

import { failDuplicate } from './errors.ts';
import type { Evaluation } from './evaluation.ts';
import { BaseOperator, type Operator } from './operator.ts';
import { hasDuplicates, pickSeries, type SeriesList } from './series-list.ts';
import { anyValid, copyCell, copyRows, NOTHING, type Tile } from './tile.ts';

/** `disjoint`: equal series may share labels, not steps. `never`: two equal series with any sample fail the query. */
export type MergeRule = 'disjoint' | 'never';

export class MergeOperator extends BaseOperator {
  private readonly input: Operator;
  private readonly rule: MergeRule;
  private readonly relabel: (list: SeriesList) => SeriesList;
  private merged: Tile | undefined;

  constructor(
    input: Operator,
    evaluation: Evaluation,
    rule: MergeRule = 'disjoint',
    relabel: (list: SeriesList) => SeriesList = (list) => list,
  ) {
    super(input.grid, evaluation);
    this.input = input;
    this.rule = rule;
    this.relabel = relabel;
  }

  async open(): Promise<void> {
    await this.input.open();
    this.series = this.relabel(this.input.series);
    if (!hasDuplicates(this.series)) return;
    const tile = await this.evaluation.materialize(this.input, 'series with equal labels');
    this.mergeRows(tile);
    this.merged = tile;
  }

  read(from: number, to: number, into: Tile, row: number): void {
    if (this.merged === undefined) this.input.read(from, to, into, row);
    else copyRows(this.merged, from, into, row, to - from, this.grid.steps);
  }

  /**
   * Moves the cells of each later equal row into the first one, and the first ones together. The row whose samples begin first says
   * whether the name goes when the query ends, as the first sample does in Prometheus.
   */
  private mergeRows(tile: Tile): void {
    const rowOf = new Map<string, number>();
    const kept: number[] = [];
    const begins: number[] = [];
    this.series.labels.forEach((labels, i) => {
      const row = rowOf.get(labels.key);
      const begin = this.firstStep(tile, i);
      if (row === undefined) {
        rowOf.set(labels.key, kept.length);
        copyRows(tile, i, tile, kept.length, 1, this.grid.steps);
        kept.push(i);
        begins.push(begin);
        return;
      }
      this.mergeRow(tile, i, row);
      if (begin >= begins[row]!) return;
      kept[row] = i;
      begins[row] = begin;
    });
    this.series = { ...pickSeries(this.series, kept), unique: true };
  }

  private mergeRow(tile: Tile, from: number, into: number): void {
    const { steps } = this.grid;
    const source = from * steps;
    const target = into * steps;
    if (this.rule === 'never' && this.anyIn(tile, source) && this.anyIn(tile, target)) failDuplicate();
    for (let step = 0; step < steps; step++) {
      if (tile.valid[source + step] === NOTHING) continue;
      if (tile.valid[target + step] !== NOTHING) failDuplicate();
      copyCell(tile, source + step, tile, target + step);
    }
  }

  /** Where a row's samples begin; the number of steps if it has none. */
  private firstStep({ valid }: Tile, row: number): number {
    const { steps } = this.grid;
    let step = 0;
    while (step < steps && valid[row * steps + step] === NOTHING) step++;
    return step;
  }

  private anyIn(tile: Tile, at: number): boolean {
    return anyValid(tile.valid, at, at + this.grid.steps);
  }
}
