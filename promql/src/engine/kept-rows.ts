// Rows that are kept while those of an operator stream by, so that memory is held for them alone.

import type { Evaluation } from './evaluation.ts';
import { copyRows, type Tile } from './tile.ts';

interface Block {
  /** Of all that are kept. */
  readonly first: number;
  readonly end: number;
  readonly tile: Tile;
}

export class KeptRows {
  /** The kept rows, as their operator numbers them. */
  readonly rows: number[] = [];
  private readonly evaluation: Evaluation;
  private readonly steps: number;
  private readonly where: string;
  private readonly blocks: Block[] = [];

  constructor(evaluation: Evaluation, steps: number, where: string) {
    this.evaluation = evaluation;
    this.steps = steps;
    this.where = where;
  }

  /** Copies some rows of a batch, which begins with the operator's row `first`. */
  keep(batch: Tile, first: number, rows: readonly number[]): void {
    if (rows.length === 0) return;
    const tile = this.evaluation.take(rows.length, this.steps, this.where);
    rows.forEach((row, i) => copyRows(batch, row, tile, i, 1, this.steps));
    this.blocks.push({ first: this.rows.length, end: this.rows.length + rows.length, tile });
    for (const row of rows) this.rows.push(first + row);
  }

  /** As an operator does, by the order in which rows were kept. */
  read(from: number, to: number, into: Tile, row: number): void {
    for (const { first, end, tile } of this.blocks) {
      const [start, stop] = [Math.max(from, first), Math.min(to, end)];
      if (start < stop) copyRows(tile, start - first, into, row + start - from, stop - start, this.steps);
    }
  }

  /** Gives the memory back. */
  end(): void {
    for (const { tile } of this.blocks) this.evaluation.give(tile);
  }
}
