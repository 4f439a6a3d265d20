// topk, bottomk, limitk and limit_ratio: aggregations that keep some input series as they are.
//
// topk holds k samples per group and step while the input streams by, and then gives back the series that won anywhere.

import { formatGoG } from '@flotilla/model';
import type { AggregateExpr, PositionRange } from '../ast.ts';
import { fail } from './errors.ts';
import type { Evaluation } from './evaluation.ts';
import { type Grouping, type Groups, groupSeries, rowsOfGroups } from './grouping.ts';
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
  private result: Tile | undefined;

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
    copyRows(this.result!, from, into, row, to - from, this.grid.steps);
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
    this.result = tile;
  }

  /** The first k of each group at each step. */
  private async openLimit(counts: Float64Array, groups: Groups): Promise<void> {
    const { steps } = this.grid;
    const taken = new Uint32Array(groups.series.count * steps);
    await this.openFiltered(groups, (row, step) => {
      const cell = groups.of[row]! * steps + step;
      return counts[step]! >= 1 && taken[cell]! < Math.trunc(counts[step]!) && taken[cell]!++ >= 0;
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
    await this.openFiltered(groups, (row, step) => {
      const ratio = Math.max(-1, Math.min(1, ratios[step]!));
      return ratio >= 0 ? places[row]! < ratio : places[row]! >= 1 + ratio;
    });
  }

  private async openFiltered(groups: Groups, keeps: (row: number, step: number) => boolean): Promise<void> {
    const { steps, startMs, endMs } = this.grid;
    this.series = this.input.series;
    const tile = await this.evaluation.materialize(this.input, this.op);
    for (let cell = 0; cell < tile.valid.length; cell++) {
      if (tile.valid[cell] !== NOTHING && !keeps(Math.floor(cell / steps), cell % steps))
        tile.valid[cell] = NOTHING;
    }
    this.result = tile;
    if (startMs === endMs) this.orderAsHeaps(tile, groups);
  }

  /** At a single time Prometheus gives what is kept in the order of heaps, and what follows may depend on it. */
  private orderAsHeaps(tile: Tile, groups: Groups): void {
    const order = rowsOfGroups(groups).flatMap((rows) => {
      const kept = rows.filter((row) => tile.valid[row] !== NOTHING);
      const heap = makeHeaps(1, kept.length, 1);
      for (const row of kept)
        offer(heap, 0, kept.length, tile.valid[row] === FLOAT ? tile.values[row]! : 0, row);
      return [...heap.rows];
    });
    this.series = pickSeries(this.input.series, order);
    const ordered = this.evaluation.take(order.length, 1, this.op);
    order.forEach((row, i) => copyRows(tile, row, ordered, i, 1, 1));
    this.result = ordered;
    this.evaluation.give(tile);
  }
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
