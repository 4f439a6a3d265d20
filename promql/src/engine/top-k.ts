// topk, bottomk, limitk and limit_ratio: aggregations that keep some input series as they are.
//
// topk holds k samples per group and step while the input streams by, and then gives back the series that won anywhere; the
// others hold the rows of which they keep a sample.

import { formatGoG } from '@flotilla/model';
import type { AggregateExpr, PositionRange } from '../ast.ts';
import { fail } from './errors.ts';
import type { Evaluation } from './evaluation.ts';
import { type Grouping, type Groups, groupSeries, rowsOfGroups } from './grouping.ts';
import { KeptRows } from './kept-rows.ts';
import { BaseOperator, type Operator } from './operator.ts';
import { pickSeries } from './series-list.ts';
import { copyRows, FLOAT, HISTOGRAM, NOTHING, type Tile } from './tile.ts';
import { bestFirst, type Heaps, makeHeaps, offer } from './value-heap.ts';
import { labelsPlace } from './xxhash.ts';

export type SelectOp = Extract<AggregateExpr['op'], 'topk' | 'bottomk' | 'limitk' | 'limit_ratio'>;

const INT64_LIMIT = 2 ** 63;

/** What topk and limitk refuse as k. Nothing is refused if no k asks for a series. */
function checkCounts(counts: Float64Array): void {
  if (counts.some(Number.isNaN)) fail('Parameter value is NaN');
  const least = counts.reduce((a, b) => Math.min(a, b));
  const most = counts.reduce((a, b) => Math.max(a, b));
  if (least <= -INT64_LIMIT) fail(`Scalar value ${formatGoG(least)} underflows int64`);
  if (most >= INT64_LIMIT) fail(`Scalar value ${formatGoG(most)} overflows int64`);
}

export class SeriesAggregate extends BaseOperator {
  private readonly op: SelectOp;
  private readonly param: Operator;
  private readonly paramPos: PositionRange;
  private readonly pos: PositionRange;
  private readonly grouping: Grouping;
  private readonly input: Operator;
  private result: Pick<KeptRows, 'read'> | undefined;

  constructor(
    op: SelectOp,
    param: { readonly op: Operator; readonly pos: PositionRange },
    grouping: Grouping,
    input: Operator,
    pos: PositionRange,
    evaluation: Evaluation,
  ) {
    super(input.grid, evaluation);
    this.pos = pos;
    this.op = op;
    this.param = param.op;
    this.paramPos = param.pos;
    this.grouping = grouping;
    this.input = input;
  }

  async open(): Promise<void> {
    await this.param.open();
    const params = await this.evaluation.scalarRow(this.param);
    await this.input.open();
    const groups = groupSeries(this.input.series, this.grouping);
    if (this.op === 'limit_ratio') return this.openRatio(params, groups);
    if (params.every((k) => k < 1)) return this.drainInput();
    checkCounts(params);
    if (this.op === 'limitk') return this.openLimit(params, groups);
    return this.openHeaps(params, groups);
  }

  /** For its annotations. */
  private async drainInput(): Promise<void> {
    await this.evaluation.drain(this.input, this.input.series.labels.keys());
  }

  read(from: number, to: number, into: Tile, row: number): void {
    this.result!.read(from, to, into, row);
  }

  private async openHeaps(counts: Float64Array, groups: Groups): Promise<void> {
    const { steps } = this.grid;
    const heaps = this.makeHeaps(counts, groups);
    const sizes = Int32Array.from(counts, (k) => Math.max(0, Math.min(Math.trunc(k), heaps.capacity)));
    await this.evaluation.stream(this.input, this.op, (tile, first, rows) => {
      for (let i = 0; i < rows; i++) {
        const row = first + i;
        if (offerRow(heaps, groups.of[row]! * steps, sizes, tile, i * steps, row))
          this.evaluation.annotations.ignoredInAggregation(this.op, this.pos, 'itself');
      }
    });
    this.collect(heaps);
    this.evaluation.budget.give((heaps.values.length + heaps.sizes.length) * 12);
  }

  private makeHeaps(counts: Float64Array, groups: Groups): Heaps {
    const rows = groups.of.length;
    const most = counts.reduce((a, b) => Math.max(a, b));
    const capacity = Math.min(Math.trunc(most), rows);
    const heaps = groups.series.count * this.grid.steps;
    this.evaluation.budget.take(heaps * (capacity + 1) * 12, this.op);
    return makeHeaps(heaps, capacity, this.op === 'topk' ? 1 : -1);
  }

  /** Makes the tile of the winners. At one step they come best first, group by group. */
  private collect(heaps: Heaps): void {
    const { steps } = this.grid;
    const rowOf = new Map<number, number>();
    for (let heap = 0; heap < heaps.sizes.length; heap++) {
      for (const slot of bestFirst(heaps, heap)) {
        if (!rowOf.has(heaps.rows[slot]!)) rowOf.set(heaps.rows[slot]!, rowOf.size);
      }
    }
    this.series = pickSeries(this.input.series, [...rowOf.keys()]);
    const tile = this.evaluation.take(rowOf.size, steps, this.op);
    for (let heap = 0; heap < heaps.sizes.length; heap++) {
      for (let i = 0; i < heaps.sizes[heap]!; i++) {
        const slot = heap * heaps.capacity + i;
        const cell = rowOf.get(heaps.rows[slot]!)! * steps + (heap % steps);
        tile.values[cell] = heaps.values[slot]!;
        tile.valid[cell] = 1;
      }
    }
    this.setResult(tile);
  }

  private setResult(tile: Tile): void {
    const { steps } = this.grid;
    this.result = { read: (from, to, into, row) => copyRows(tile, from, into, row, to - from, steps) };
  }

  /** The first k of each group at each step. */
  private async openLimit(counts: Float64Array, groups: Groups): Promise<void> {
    const { steps } = this.grid;
    const wanted = Float64Array.from(counts, (k) => Math.max(0, Math.trunc(k)));
    const taken = new Float64Array(groups.series.count * steps);
    await this.openFiltered(groups, (row, valid, at) => {
      const base = groups.of[row]! * steps;
      let keepsAny = false;
      for (let step = 0; step < steps; step++) {
        if (valid[at + step] === NOTHING) continue;
        if (taken[base + step]! < wanted[step]!) {
          taken[base + step]!++;
          keepsAny = true;
        } else valid[at + step] = NOTHING;
      }
      return keepsAny;
    });
  }

  /** A share of the series, chosen by a hash of their labels; a negative ratio chooses the others. */
  private async openRatio(ratios: Float64Array, groups: Groups): Promise<void> {
    if (ratios.every((ratio) => ratio === 0)) return this.drainInput();
    if (ratios.some(Number.isNaN)) fail('Ratio value is NaN');
    const most = ratios.reduce((a, b) => Math.max(a, b));
    const least = ratios.reduce((a, b) => Math.min(a, b));
    if (most > 1) this.evaluation.annotations.invalidRatio(most, 1, this.paramPos);
    if (least < -1) this.evaluation.annotations.invalidRatio(least, -1, this.paramPos);
    const places = Float64Array.from(this.input.series.labels, labelsPlace);
    const bounded = ratios.map((ratio) => Math.max(-1, Math.min(1, ratio)));
    await this.openFiltered(groups, (row, valid, at) => {
      const place = places[row]!;
      let keepsAny = false;
      for (let step = 0; step < bounded.length; step++) {
        const ratio = bounded[step]!;
        if (!(ratio >= 0 ? place < ratio : place >= 1 + ratio)) valid[at + step] = NOTHING;
        keepsAny ||= valid[at + step] !== NOTHING;
      }
      return keepsAny;
    });
  }

  /** `filter` takes samples out of the row whose cells begin at `at`, and says whether it leaves one. */
  private async openFiltered(
    groups: Groups,
    filter: (row: number, valid: Uint8Array, at: number) => boolean,
  ): Promise<void> {
    const { steps, startMs, endMs } = this.grid;
    const kept = new KeptRows(this.evaluation, steps, this.op);
    await this.evaluation.stream(this.input, this.op, (tile, first, rows) => {
      const some: number[] = [];
      for (let i = 0; i < rows; i++) if (filter(first + i, tile.valid, i * steps)) some.push(i);
      kept.keep(tile, first, some);
    });
    if (startMs === endMs) return this.orderAsHeaps(kept, groups);
    this.series = pickSeries(this.input.series, kept.rows);
    this.result = kept;
  }

  /** At a single time Prometheus gives what is kept in the order of heaps, and what follows may depend on it. */
  private orderAsHeaps(kept: KeptRows, groups: Groups): void {
    const count = kept.rows.length;
    const tile = this.evaluation.take(count, 1, this.op);
    kept.read(0, count, tile, 0);
    kept.end();
    const of = Uint32Array.from(kept.rows, (row) => groups.of[row]!);
    const order = rowsOfGroups({ ...groups, of }).flatMap((rows) => inHeap(rows, tile));
    this.series = pickSeries(
      this.input.series,
      order.map((i) => kept.rows[i]!),
    );
    const ordered = this.evaluation.take(count, 1, this.op);
    order.forEach((from, i) => copyRows(tile, from, ordered, i, 1, 1));
    this.evaluation.give(tile);
    this.setResult(ordered);
  }
}

/** Rows of a tile of one step, as they lie in a heap to which they were offered in turn. */
function inHeap(rows: readonly number[], { values, valid }: Tile): readonly number[] {
  const heap = makeHeaps(1, rows.length, 1);
  for (const row of rows) offer(heap, 0, rows.length, valid[row] === FLOAT ? values[row]! : 0, row);
  return [...heap.rows];
}

/** Offers the cells of a row from `at` on to the heaps of its group, the first of which is `base`; whether it left out histograms. */
function offerRow(
  heaps: Heaps,
  base: number,
  sizes: Int32Array,
  { values, valid }: Tile,
  at: number,
  row: number,
): boolean {
  const { bars, sign } = heaps;
  let leavesOut = false;
  for (let step = 0; step < sizes.length; step++) {
    const k = sizes[step]!;
    if (k === 0) continue;
    const kind = valid[at + step];
    if (kind === FLOAT) {
      const value = values[at + step]!;
      if (!(value * sign <= bars[base + step]!)) offer(heaps, base + step, k, value, row);
    } else if (kind === HISTOGRAM) leavesOut = true;
  }
  return leavesOut;
}
