// Reads a plan's root into a result.

import type { ColumnArena } from '@flotilla/kernel';
import { compareLabels } from '@flotilla/model';
import { failDuplicate } from './errors.ts';
import type { Evaluation } from './evaluation.ts';
import { extendedSamples } from './extended-rate.ts';
import type { Grid } from './grid.ts';
import { MergeOperator } from './merge-operator.ts';
import type { Operator } from './operator.ts';
import type { PlannedRange } from './plan.ts';
import type { HistogramPoint, MatrixSeries, QueryData, VectorSample } from './result.ts';
import { hasDuplicates, withoutDoomedNames } from './series-list.ts';
import { FLOAT, histogramAt, type Tile } from './tile.ts';

/** Where delayed names go, and series that are the same without them meet. */
export function finished(root: Operator, evaluation: Evaluation): Operator {
  if (!evaluation.delayedNameRemoval) return root;
  return new MergeOperator(root, evaluation, 'disjoint', withoutDoomedNames);
}

/** The samples at the only step, in the operator's order. */
export async function collectVector(root: Operator, evaluation: Evaluation): Promise<QueryData> {
  await root.open();
  const { labels } = root.series;
  const timeMs = root.grid.startMs;
  const series: VectorSample[] = [];
  await evaluation.stream(root, 'the result', (tile, first, rows) => {
    for (let i = 0; i < rows; i++) {
      const histogram = histogramAt(tile, i);
      if (histogram !== undefined) series.push({ labels: labels[first + i]!, timeMs, value: 0, histogram });
      if (tile.valid[i] === FLOAT) {
        series.push({ labels: labels[first + i]!, timeMs, value: tile.values[i]! });
      }
    }
  });
  return { type: 'vector', series };
}

export async function collectScalar(root: Operator, evaluation: Evaluation): Promise<QueryData> {
  await root.open();
  const row = await evaluation.scalarRow(root);
  return { type: 'scalar', timeMs: root.grid.startMs, value: row[0]! };
}

/** All series that have samples, by labels. */
export async function collectMatrix(root: Operator, evaluation: Evaluation): Promise<QueryData> {
  await root.open();
  const { labels } = root.series;
  const { grid } = root;
  const series: MatrixSeries[] = [];
  const compact = new RowCompactor(grid, evaluation.arena);
  await evaluation.stream(root, 'the result', (tile, first, rows) => {
    for (let i = 0; i < rows; i++) {
      const columns = compact.row(tile, i);
      const size = columns.values.length + (columns.histograms?.length ?? 0);
      if (size === 0) continue;
      evaluation.budget.take(16 * size, 'the result');
      series.push({ labels: labels[first + i]!, ...columns });
    }
  });
  return { type: 'matrix', series: sortedSeries(series) };
}

function sortedSeries(series: readonly MatrixSeries[]): readonly MatrixSeries[] {
  const isSorted = series.every((one, i) => i === 0 || compareLabels(series[i - 1]!.labels, one.labels) <= 0);
  return isSorted ? series : series.toSorted((a, b) => compareLabels(a.labels, b.labels));
}

/** Makes columns of rows; rows without a gap share the times of all. */
class RowCompactor {
  private readonly grid: Grid;
  private readonly allTimes: Float64Array;
  private readonly arena: ColumnArena;

  constructor(grid: Grid, arena: ColumnArena) {
    this.grid = grid;
    this.arena = arena;
    this.allTimes = Float64Array.from({ length: grid.steps }, (_, step) => grid.startMs + step * grid.stepMs);
  }

  /** The samples of a row with their times. */
  row(tile: Tile, row: number): Omit<MatrixSeries, 'labels'> {
    const { steps } = this.grid;
    const at = row * steps;
    const floats = this.floats(tile, at, at + steps);
    if (tile.histograms === undefined) return floats;
    const histograms = histogramsOfRow(tile, row, this.grid);
    return histograms.length === 0 ? floats : { ...floats, histograms };
  }

  private floats({ values, valid }: Tile, at: number, end: number): Omit<MatrixSeries, 'labels'> {
    const first = endOfOthers(valid, at, end);
    const last = endOfFloats(valid, first, end);
    const isRun = endOfOthers(valid, last, end) === end;
    const count = isRun ? last - first : countFloats(valid, first, end);
    const own = this.arena.column(count);
    if (isRun) {
      own.set(values.subarray(first, last));
      const timestampsMs = count === end - at ? this.allTimes : this.allTimes.subarray(first - at, last - at);
      return { timestampsMs, values: own };
    }
    const timestampsMs = this.arena.column(count);
    let next = 0;
    for (let cell = first; cell < end; cell++) {
      if (valid[cell] !== FLOAT) continue;
      timestampsMs[next] = this.allTimes[cell - at]!;
      own[next++] = values[cell]!;
    }
    return { timestampsMs, values: own };
  }
}

/** Where the first float is, or the end. */
function endOfOthers(valid: Uint8Array, from: number, end: number): number {
  let cell = from;
  while (cell < end && valid[cell] !== FLOAT) cell++;
  return cell;
}

function endOfFloats(valid: Uint8Array, from: number, end: number): number {
  let cell = from;
  while (cell < end && valid[cell] === FLOAT) cell++;
  return cell;
}

function countFloats(valid: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let cell = from; cell < to; cell++) if (valid[cell] === FLOAT) count++;
  return count;
}

function histogramsOfRow(tile: Tile, row: number, { steps, startMs, stepMs }: Grid): HistogramPoint[] {
  const points: HistogramPoint[] = [];
  for (let step = 0; step < steps; step++) {
    const histogram = histogramAt(tile, row * steps + step);
    if (histogram !== undefined) points.push({ timeMs: startMs + step * stepMs, histogram });
  }
  return points;
}

/** The samples in the only window: what an instant query of a range selector is. */
export async function collectRange(range: PlannedRange, evaluation: Evaluation): Promise<QueryData> {
  const { source, windows } = range;
  await source.open();
  const list = withoutDoomedNames(source.series);
  if (hasDuplicates(list)) failDuplicate();
  const { labels } = list;
  const series: MatrixSeries[] = [];
  for (let i = 0; i < labels.length; i++) {
    await evaluation.breathe();
    source.load(i, windows);
    const count = windows.locate(range.beforeMs, range.afterMs);
    evaluation.counter.addWindows(count, windows.lo, windows.hi, source.isStored);
    const columns = windowColumns(range);
    const size = columns.values.length + (columns.histograms?.length ?? 0);
    if (size === 0) continue;
    evaluation.budget.take(16 * size, 'the result');
    series.push({ labels: labels[i]!, ...columns });
  }
  return { type: 'matrix', series: sortedSeries(series) };
}

function windowColumns({ windows, beforeMs, afterMs }: PlannedRange): Omit<MatrixSeries, 'labels'> {
  if (beforeMs > 0) {
    const [times, values] = extendedSamples(windows, 0, afterMs > 0);
    return { timestampsMs: Float64Array.from(times), values: Float64Array.from(values) };
  }
  const from = windows.lo[0]!;
  const to = windows.hi[0]!;
  const { times, values, histograms } = windows;
  if (histograms === undefined)
    return { timestampsMs: times.slice(from, to), values: values.slice(from, to) };
  const points: HistogramPoint[] = [];
  const floats: number[] = [];
  for (let i = from; i < to; i++) {
    const histogram = histograms.at(i);
    if (histogram === undefined) floats.push(i);
    else points.push({ timeMs: times[i]!, histogram });
  }
  return {
    timestampsMs: Float64Array.from(floats, (i) => times[i]!),
    values: Float64Array.from(floats, (i) => values[i]!),
    histograms: points,
  };
}
