// What all operators of one query share: its limits, its counters, its annotations, and the clock.
//
// An evaluation runs on the event loop in batches. Between batches breathe() lets the loop turn, so that an abort can
// arrive; within them check() sees the deadline.

import type { ColumnArena } from '@flotilla/kernel';
import type { MemoryBudget } from '../storage.ts';
import { Annotations } from './annotations.ts';
import { QueryError, QueryLimitError } from './errors.ts';
import type { Operator } from './operator.ts';
import type { SampleCounter } from './sample-counter.ts';
import { batchRows, CELL_BYTES, freeTile, lendTile, makeTile, returnTile, type Tile } from './tile.ts';

export interface EvaluationOptions {
  readonly lookbackMs: number;
  readonly maxSamples: number;
  readonly delayedNameRemoval: boolean;
  readonly useStartTimestamps: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly budget: MemoryBudget;
  readonly counter: SampleCounter;
  readonly arena: ColumnArena;
}

const BREATH_MS = 25;
const WHERE = 'expression evaluation';

export class Evaluation {
  readonly lookbackMs: number;
  readonly delayedNameRemoval: boolean;
  readonly useStartTimestamps: boolean;
  readonly budget: MemoryBudget;
  readonly annotations = new Annotations();
  /** Of the result's columns. */
  readonly arena: ColumnArena;
  /** Where operators that are planned now count samples. */
  counter: SampleCounter;
  peakSamples = 0;
  /** Whether any selector found native histograms. */
  anyHistograms = false;
  private held = 0;
  private readonly tiles = new Set<Tile>();
  private readonly maxSamples: number;
  private readonly signal: AbortSignal;
  private readonly deadlineMs: number;
  private breathedMs = performance.now();

  constructor(options: EvaluationOptions) {
    this.lookbackMs = options.lookbackMs;
    this.delayedNameRemoval = options.delayedNameRemoval;
    this.useStartTimestamps = options.useStartTimestamps;
    this.budget = options.budget;
    this.counter = options.counter;
    this.arena = options.arena;
    this.maxSamples = options.maxSamples;
    this.signal = options.signal;
    this.deadlineMs = performance.now() + options.timeoutMs;
  }

  /** Has what `plan` makes count samples at another counter. */
  countingAt<T>(counter: SampleCounter, plan: () => T): T {
    const outer = this.counter;
    this.counter = counter;
    try {
      return plan();
    } finally {
      this.counter = outer;
    }
  }

  /** Throws if the query was aborted or is out of time. */
  check(): void {
    if (this.signal.aborted || performance.now() > this.deadlineMs) throw this.endError();
  }

  /** Waits for a storage, but no longer than the query may last. */
  async orAborted<T>(work: Promise<T>): Promise<T> {
    const left = Math.max(0, this.deadlineMs - performance.now());
    const ended = Promise.withResolvers<never>();
    const end = (): void => ended.reject(this.endError());
    const timer = setTimeout(end, left);
    // Not AbortSignal.any(): its registry keeps what listens until the next major collection.
    this.signal.addEventListener('abort', end, { once: true });
    try {
      return await Promise.race([work, ended.promise]);
    } finally {
      clearTimeout(timer);
      this.signal.removeEventListener('abort', end);
    }
  }

  private endError(): QueryError {
    if (this.signal.aborted) return new QueryError('canceled', `query was canceled in ${WHERE}`);
    return new QueryError('timeout', `query timed out in ${WHERE}`);
  }

  /** Lets other work and abort signals through, if the last time is a while ago. */
  async breathe(): Promise<void> {
    this.check();
    if (performance.now() - this.breathedMs < BREATH_MS) return;
    await new Promise(setImmediate);
    this.breathedMs = performance.now();
    this.check();
  }

  /** Cells of tiles that are held. */
  get heldCells(): number {
    return this.held;
  }

  /** A tile that counts as held until it is given back. `where` names its owner if there is no room for it. */
  take(rows: number, steps: number, where: string): Tile {
    this.count(rows * steps, where);
    const tile = makeTile(rows * steps);
    this.tiles.add(tile);
    return tile;
  }

  /** A tile with anything in its cells, for a moment without a pause; then it is given back with giveLent(). */
  lend(rows: number, steps: number, where: string): Tile {
    this.count(rows * steps, where);
    return lendTile(rows * steps);
  }

  giveLent(tile: Tile): void {
    this.uncount(tile);
    returnTile(tile);
  }

  private count(cells: number, where: string): void {
    this.held += cells;
    if (this.held > this.maxSamples) {
      throw new QueryLimitError(
        'query processing would load too many samples into memory in query execution',
      );
    }
    this.peakSamples = Math.max(this.peakSamples, this.held);
    this.budget.take(cells * CELL_BYTES, where);
  }

  /** Gives a tile of take() back. Whoever still reads it must be done. */
  give(tile: Tile): void {
    this.uncount(tile);
    this.tiles.delete(tile);
    freeTile(tile);
  }

  private uncount({ values }: Tile): void {
    this.held -= values.length;
    this.budget.give(values.length * CELL_BYTES);
  }

  /** The query is over: nobody reads a tile any more. */
  freeTiles(): void {
    for (const tile of this.tiles) freeTile(tile);
    this.tiles.clear();
  }

  /** All rows of an open operator. `visit` sees each batch of them, [from, to), when it is there. */
  async materialize(
    op: Operator,
    where: string,
    visit?: (tile: Tile, from: number, to: number) => void,
  ): Promise<Tile> {
    const { steps } = op.grid;
    const rows = op.series.count;
    const tile = this.take(rows, steps, where);
    const batch = batchRows(steps, this.anyHistograms);
    for (let from = 0; from < rows; from += batch) {
      await this.breathe();
      const to = Math.min(rows, from + batch);
      op.read(from, to, tile, from);
      visit?.(tile, from, to);
    }
    return tile;
  }

  /** Calls `visit` with all rows of an open operator, a batch at a time; the tile is only lent. */
  async stream(
    op: Operator,
    where: string,
    visit: (tile: Tile, first: number, rows: number) => void,
  ): Promise<void> {
    const { steps } = op.grid;
    const total = op.series.count;
    const batch = Math.min(batchRows(steps, this.anyHistograms), total);
    const tile = this.lend(batch, steps, where);
    for (let from = 0; from < total; from += batch) {
      await this.breathe();
      const rows = Math.min(batch, total - from);
      op.read(from, from + rows, tile, 0);
      visit(tile, from, rows);
    }
    this.giveLent(tile);
  }

  /** Evaluates rows that nobody needs the values of, for their annotations. */
  async drain(op: Operator, rows: Iterable<number>): Promise<void> {
    const tile = this.take(1, op.grid.steps, 'rows without a match');
    for (const row of rows) {
      await this.breathe();
      op.read(row, row + 1, tile, 0);
    }
    this.give(tile);
  }

  /** The one row of an open scalar operator. */
  async scalarRow(op: Operator): Promise<Float64Array> {
    const tile = await this.materialize(op, 'a scalar');
    return tile.values;
  }
}
