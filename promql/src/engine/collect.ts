// Reads a plan's root into a result.

import { compareLabels } from '@flotilla/model';
import { failDuplicate } from './errors.ts';
import type { Evaluation } from './evaluation.ts';
import { extendedSamples } from './extended-rate.ts';
import type { Grid } from './grid.ts';
import { MergeOperator } from './merge-operator.ts';
import type { Operator } from './operator.ts';
import type { PlannedRange } from './plan.ts';
import type { MatrixSeries, QueryData, VectorSample } from './result.ts';
import { hasDuplicates, withoutDoomedNames } from './series-list.ts';
import type { Tile } from './tile.ts';

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
      if (tile.valid[i] === 1) series.push({ labels: labels[first + i]!, timeMs, value: tile.values[i]! });
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
  await evaluation.stream(root, 'the result', (tile, first, rows) => {
    for (let i = 0; i < rows; i++) {
      const columns = compactRow(tile, i, grid);
      if (columns.values.length === 0) continue;
      evaluation.budget.take(16 * columns.values.length, 'the result');
      series.push({ labels: labels[first + i]!, ...columns });
    }
  });
  return { type: 'matrix', series: series.toSorted((a, b) => compareLabels(a.labels, b.labels)) };
}

/** The samples of a row with their times. */
function compactRow(tile: Tile, row: number, grid: Grid): Pick<MatrixSeries, 'timestampsMs' | 'values'> {
  const { steps, startMs, stepMs } = grid;
  const timestampsMs = new Float64Array(steps);
  const values = new Float64Array(steps);
  let count = 0;
  for (let step = 0; step < steps; step++) {
    if (tile.valid[row * steps + step] === 0) continue;
    timestampsMs[count] = startMs + step * stepMs;
    values[count++] = tile.values[row * steps + step]!;
  }
  if (count === steps) return { timestampsMs, values };
  return { timestampsMs: timestampsMs.slice(0, count), values: values.slice(0, count) };
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
    evaluation.samples += windows.locate(range.beforeMs, range.afterMs);
    const columns = windowColumns(range);
    if (columns.values.length === 0) continue;
    evaluation.budget.take(16 * columns.values.length, 'the result');
    series.push({ labels: labels[i]!, ...columns });
  }
  return { type: 'matrix', series: series.toSorted((a, b) => compareLabels(a.labels, b.labels)) };
}

function windowColumns({
  windows,
  beforeMs,
  afterMs,
}: PlannedRange): Pick<MatrixSeries, 'timestampsMs' | 'values'> {
  if (beforeMs > 0) {
    const [times, values] = extendedSamples(windows, 0, afterMs > 0);
    return { timestampsMs: Float64Array.from(times), values: Float64Array.from(values) };
  }
  const from = windows.lo[0]!;
  const to = windows.hi[0]!;
  return { timestampsMs: windows.times.slice(from, to), values: windows.values.slice(from, to) };
}
