// The `smoothed` instant selector: at each step the value between the samples around it, within the lookback.

import type { Evaluation } from './evaluation.ts';
import { interpolate } from './extended-rate.ts';
import { BaseOperator } from './operator.ts';
import { StorageSource } from './range-source.ts';
import type { Selection } from './selection.ts';
import type { Tile } from './tile.ts';
import type { Windows } from './windows.ts';

export class SmoothedSelector extends BaseOperator {
  private readonly source: StorageSource;
  /** From the lookback before each step's time to it; read wider by the lookback after it. */
  private readonly windows: Windows;

  constructor(selection: Selection, windows: Windows, evaluation: Evaluation) {
    super(windows.grid, evaluation);
    this.source = new StorageSource(selection);
    this.windows = windows;
  }

  async open(): Promise<void> {
    await this.source.open();
    this.series = this.source.series;
  }

  read(from: number, to: number, into: Tile, row: number): void {
    const { steps } = this.grid;
    for (let i = from; i < to; i++) {
      this.source.load(i, this.windows);
      this.evaluation.samples += this.windows.locate(0, this.evaluation.lookbackMs);
      this.smooth(into, (row + i - from) * steps);
    }
    this.evaluation.check();
  }

  private smooth(into: Tile, at: number): void {
    const w = this.windows;
    for (let step = 0; step < w.steps; step++) {
      const lo = w.lo[step]!;
      const hi = w.hi[step]!;
      const timeMs = w.endMs(step);
      let next = lo;
      while (next < hi && w.times[next]! < timeMs) next++;
      const exact = next < hi && w.times[next] === timeMs;
      into.valid[at + step] = exact || next > lo ? 1 : 0;
      if (exact) into.values[at + step] = w.values[next]!;
      else if (next > lo && next < hi) into.values[at + step] = interpolate(w, next - 1, timeMs, false);
      else if (next > lo) into.values[at + step] = w.values[next - 1]!;
    }
  }
}
