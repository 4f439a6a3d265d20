// Hot: what aggregations of single values make of native histograms: sum and avg combine them, count and group take them as
// they are, and the others leave them out and say so.
//
// A FoldRow sees floats only. What it must not see is taken out of its row before, and its place marked as empty.

import { type FloatHistogram, HistogramMean, HistogramSum, METRIC_NAME } from '@flotilla/model';
import type { PositionRange } from '../ast.ts';
import type { Annotations } from './annotations.ts';
import type { FoldOp } from './fold.ts';
import type { SeriesList } from './series-list.ts';
import { FLOAT, HISTOGRAM, NOTHING, setHistogram, type Tile } from './tile.ts';

/** The histograms of one group at one step. */
interface Cell {
  /** Undefined if a float came first. */
  readonly sum: HistogramSum | HistogramMean | undefined;
  incompatible: boolean;
  reset: boolean;
  notReset: boolean;
}

export class HistogramFold {
  private readonly op: FoldOp;
  private readonly pos: PositionRange;
  private readonly annotations: Annotations;
  /** By where their group's row begins in the fold, and step. */
  private readonly rows = new Map<number, (Cell | undefined)[]>();

  /** `pos` is where the aggregated expression is in the query. */
  constructor(op: FoldOp, pos: PositionRange, annotations: Annotations) {
    this.op = op;
    this.pos = pos;
    this.annotations = annotations;
  }

  /** Takes out of `steps` cells from `from` on what is not for the fold, whose own cells begin at `at`. */
  takeRow(row: Tile, from: number, folded: Tile, at: number, steps: number, metric: () => string): void {
    if (this.op === 'count' || this.op === 'group') return;
    const combines = this.op === 'sum' || this.op === 'avg';
    const cells = this.cellsOf(at, steps);
    for (let step = 0; step < steps; step++) {
      const kind = row.valid[from + step];
      if (kind === FLOAT && cells[step]?.incompatible === true) row.valid[from + step] = NOTHING;
      if (kind !== HISTOGRAM) continue;
      row.valid[from + step] = NOTHING;
      const histogram = row.histograms![from + step]!;
      if (combines) this.add(cells, step, histogram, folded.valid[at + step] === FLOAT, metric);
      else this.annotations.ignoredInAggregation(this.op, this.pos);
    }
  }

  private cellsOf(at: number, steps: number): (Cell | undefined)[] {
    let cells = this.rows.get(at);
    if (cells === undefined) {
      cells = Array.from<Cell | undefined>({ length: steps });
      this.rows.set(at, cells);
    }
    return cells;
  }

  private add(
    cells: (Cell | undefined)[],
    step: number,
    histogram: FloatHistogram,
    floatsCame: boolean,
    metric: () => string,
  ): void {
    let cell = cells[step];
    if (cell === undefined) {
      const begin = this.op === 'sum' ? HistogramSum : HistogramMean;
      const sum = floatsCame ? undefined : new begin(histogram);
      cell = { sum, incompatible: false, reset: false, notReset: false };
      cells[step] = cell;
    } else if (cell.incompatible) {
      return;
    } else if (cell.sum !== undefined) {
      const outcome = cell.sum.add(histogram);
      cell.incompatible = outcome === 'incompatible';
      if (outcome === 'incompatible') this.annotations.mixedSchemas(metric(), this.pos);
      if (outcome === 'reconciled') this.annotations.boundsReconciled('aggregation', this.pos);
    }
    if (histogram.hint === 'reset') cell.reset = true;
    if (histogram.hint === 'not_reset') cell.notReset = true;
  }

  /** Puts the histograms of groups that have nothing else into the fold's finished cells. */
  finish(folded: Tile): void {
    for (const [from, cells] of this.rows) {
      for (const [step, cell] of cells.entries())
        if (cell !== undefined) this.finishCell(cell, folded, from + step);
    }
  }

  private finishCell(cell: Cell, folded: Tile, at: number): void {
    if (folded.valid[at] === FLOAT) {
      this.annotations.mixedAggregation(this.pos);
      folded.valid[at] = NOTHING;
    } else if (!cell.incompatible && cell.sum !== undefined) {
      setHistogram(folded, at, cell.sum.result().compact());
      if (cell.reset && cell.notReset) this.annotations.resetCollision('aggregation', this.pos);
    }
  }
}

/** The name of a series, for annotations. */
export function nameOf(series: SeriesList, row: number): string {
  return series.labels[row]!.get(METRIC_NAME);
}
