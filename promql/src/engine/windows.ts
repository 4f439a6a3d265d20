// Hot: the windows of one series: for each step, which of its samples lie in (end - range, end].
//
// Two cursors over the samples find all windows in one pass. The bounds are kept, so that a function that needs only
// them (count, last, changes) costs nothing per sample. Series that were scraped together share their times, and so
// their windows.

import type { FloatHistogram } from '@flotilla/model';
import type { HistogramColumn } from '../storage.ts';
import type { Grid } from './grid.ts';
import type { LookTimes } from './instant-selector.ts';

/** Below this a loop is quicker than a copy by the machine. */
const FEW = 24;

let generations = 0;

interface Located {
  readonly times: Float64Array;
  readonly count: number;
  readonly beforeMs: number;
  readonly afterMs: number;
}

/** The windows of the series that was loaded last. One object per operator serves all its series. */
export class Windows {
  readonly steps: number;
  readonly rangeMs: number;
  /** The window of step k ends at endMs + k * endStepMs. */
  readonly firstEndMs: number;
  readonly endStepMs: number;
  /** When the steps are evaluated, which differs from their windows' ends by offset and `@`. */
  readonly grid: Grid;
  /** Window k is samples [lo[k], hi[k]). */
  readonly lo: Int32Array;
  readonly hi: Int32Array;
  /** 1 for windows that hold samples, else 0. */
  private readonly present: Uint8Array;
  /** The samples, without stale markers. Only the first `count` count. */
  times: Float64Array = new Float64Array(0);
  values: Float64Array = new Float64Array(0);
  histograms: HistogramColumn | undefined;
  startTimesMs: Float64Array | undefined;
  count = 0;
  /** Whether the times with these identity and count are always the same. */
  timesAreFixed = false;
  /** Samples of all windows together. */
  total = 0;
  /** Changes when the windows do; no others ever have the same. */
  generation = ++generations;
  /** One for all series: lists of some hundred places would be garbage of each. */
  private readonly kept: (FloatHistogram | undefined)[] = [];
  private located: Located = { times: this.times, count: -1, beforeMs: 0, afterMs: 0 };

  constructor(grid: Grid, times: LookTimes, rangeMs: number) {
    this.grid = grid;
    this.steps = grid.steps;
    this.rangeMs = rangeMs;
    this.firstEndMs = times.firstMs;
    this.endStepMs = times.stepMs;
    this.lo = new Int32Array(grid.steps);
    this.hi = new Int32Array(grid.steps);
    this.present = new Uint8Array(grid.steps);
  }

  /**
   * Finds all windows; returns how many samples they hold together.
   * A window may reach further back than its range, or past its end, for functions that look outside it.
   */
  locate(beforeMs = 0, afterMs = 0): number {
    const { located, times, count } = this;
    const isKnown = this.timesAreFixed && located.times === times && located.count === count;
    if (isKnown && located.beforeMs === beforeMs && located.afterMs === afterMs) return this.total;
    this.generation = ++generations;
    this.total = this.find(beforeMs, afterMs);
    this.located = { times, count: this.timesAreFixed ? count : -1, beforeMs, afterMs };
    return this.total;
  }

  private find(beforeMs: number, afterMs: number): number {
    const { times, count, lo, hi, present, steps, endStepMs } = this;
    const span = this.rangeMs + beforeMs + afterMs;
    let low = 0;
    let high = 0;
    let total = 0;
    let endMs = this.firstEndMs + afterMs;
    for (let step = 0; step < steps; step++, endMs += endStepMs) {
      while (high < count && times[high]! <= endMs) high++;
      while (low < high && times[low]! <= endMs - span) low++;
      lo[step] = low;
      hi[step] = high;
      present[step] = high > low ? 1 : 0;
      total += high - low;
    }
    return total;
  }

  /** Writes 1 for each window that holds samples, 0 for the others. */
  markPresent(valid: Uint8Array, at: number): void {
    const { present, steps } = this;
    if (steps >= FEW) valid.set(present, at);
    else for (let step = 0; step < steps; step++) valid[at + step] = present[step]!;
  }

  /** Keeps the histograms for who reads them again in each window that they are in, until those of the next series are. */
  keepHistograms(): void {
    const { histograms, count, kept } = this;
    if (histograms === undefined || Array.isArray(histograms)) return;
    for (let i = 0; i < count; i++) kept[i] = histograms.at(i);
    kept.length = count;
    this.histograms = kept;
  }

  /** The same windows of no samples. */
  emptyCopy(): Windows {
    const times = { firstMs: this.firstEndMs, stepMs: this.endStepMs };
    return new Windows(this.grid, times, this.rangeMs);
  }

  endMs(step: number): number {
    return this.firstEndMs + step * this.endStepMs;
  }
}
