// Hot: the instant vector selector: at each step the latest sample that is not older than the lookback.
//
// One pass over the samples and the steps together. A stale marker ends a series until its next sample.

import { isStale } from '@flotilla/model';
import type { Series } from '../storage.ts';
import type { Evaluation } from './evaluation.ts';
import type { Grid } from './grid.ts';
import { BaseOperator } from './operator.ts';
import type { Selection } from './selection.ts';
import { listOf } from './series-list.ts';
import type { Tile } from './tile.ts';

/** Whether steps look at times that move with them, or all at one time (`@`). Either includes the offset. */
export interface LookTimes {
  readonly firstMs: number;
  readonly stepMs: number;
}

/** The times that steps of a grid look at. */
export function lookTimes(grid: Grid, offsetMs: number, atMs: number | undefined): LookTimes {
  if (atMs !== undefined) return { firstMs: atMs - offsetMs, stepMs: 0 };
  return { firstMs: grid.startMs - offsetMs, stepMs: grid.stepMs };
}

export class InstantSelector extends BaseOperator {
  private readonly selection: Selection;
  private readonly times: LookTimes;
  /** What a cell gets: the sample's value, or for timestamp() its time in seconds. */
  private readonly column: 'value' | 'time';

  constructor(
    selection: Selection,
    times: LookTimes,
    grid: Grid,
    evaluation: Evaluation,
    column: 'value' | 'time' = 'value',
  ) {
    super(grid, evaluation);
    this.selection = selection;
    this.times = times;
    this.column = column;
  }

  open(): Promise<void> {
    this.series = listOf(
      this.selection.series.map((series) => series.labels),
      true,
    );
    return Promise.resolve();
  }

  read(from: number, to: number, into: Tile, row: number): void {
    const { steps } = this.grid;
    for (let i = from; i < to; i++) {
      this.lookUp(this.selection.series[i]!, into, (row + i - from) * steps);
    }
    this.evaluation.check();
  }

  private lookUp(series: Series, into: Tile, at: number): void {
    const { timestampsMs, values } = series;
    const { steps } = this.grid;
    const { stepMs } = this.times;
    const { lookbackMs } = this.evaluation;
    const count = timestampsMs.length;
    let next = 0;
    let timeMs = this.times.firstMs;
    let found = 0;
    for (let step = 0; step < steps; step++, timeMs += stepMs) {
      while (next < count && timestampsMs[next]! <= timeMs) next++;
      const fresh = next > 0 && timestampsMs[next - 1]! > timeMs - lookbackMs && !isStale(values, next - 1);
      into.valid[at + step] = fresh ? 1 : 0;
      if (!fresh) continue;
      found++;
      into.values[at + step] = this.column === 'value' ? values[next - 1]! : timestampsMs[next - 1]! / 1000;
    }
    this.evaluation.samples += found;
  }
}
