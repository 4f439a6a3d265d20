// The `smoothed` instant selector: at each step the sample between the samples around it, within the lookback.

import { type FloatHistogram, METRIC_NAME } from '@flotilla/model';
import type { PositionRange } from '../ast.ts';
import type { HistogramColumn } from '../storage.ts';
import type { Evaluation } from './evaluation.ts';
import { between } from './extended-histogram.ts';
import { interpolate } from './extended-rate.ts';
import { MixedSchemas, unlessMixedSchemas } from './histogram-rate.ts';
import { BaseOperator } from './operator.ts';
import { StorageSource } from './range-source.ts';
import type { Selection } from './selection.ts';
import { FLOAT, NOTHING, setHistogram, type Tile } from './tile.ts';
import type { Windows } from './windows.ts';

export class SmoothedSelector extends BaseOperator {
  private readonly source: StorageSource;
  /** From the lookback before each step's time to it; read wider by the lookback after it. */
  private readonly windows: Windows;
  private readonly pos: PositionRange;

  constructor(selection: Selection, windows: Windows, pos: PositionRange, evaluation: Evaluation) {
    super(windows.grid, evaluation);
    this.source = new StorageSource(selection, false);
    this.windows = windows;
    this.pos = pos;
  }

  async open(): Promise<void> {
    await this.source.open();
    this.series = this.source.series;
  }

  read(from: number, to: number, into: Tile, row: number): void {
    const { steps } = this.grid;
    for (let i = from; i < to; i++) {
      this.source.load(i, this.windows);
      this.windows.keepHistograms();
      const count = this.windows.locate(0, this.evaluation.lookbackMs);
      this.counter.addWindows(count, this.windows.lo, this.windows.hi, true);
      for (let step = 0; step < steps; step++) this.smooth(i, step, into, (row + i - from) * steps + step);
    }
    this.evaluation.check();
  }

  private smooth(index: number, step: number, into: Tile, cell: number): void {
    const w = this.windows;
    const lo = w.lo[step]!;
    const hi = w.hi[step]!;
    const timeMs = w.endMs(step);
    const { histograms } = w;
    let next = lo;
    while (next < hi && w.times[next]! < timeMs) next++;
    const exact = next < hi && w.times[next] === timeMs;
    into.valid[cell] = NOTHING;
    if (histograms !== undefined && this.isMixed(index, histograms, lo, hi)) return;
    if (!exact && next === lo) return;
    if (histograms?.at(lo) !== undefined) {
      const histogram = this.histogramAt(index, next, hi, timeMs);
      if (histogram !== undefined) setHistogram(into, cell, histogram);
      return;
    }
    into.valid[cell] = FLOAT;
    if (exact) into.values[cell] = w.values[next]!;
    else into.values[cell] = next < hi ? interpolate(w, next - 1, timeMs, false) : w.values[next - 1]!;
  }

  /** Whether a window holds both floats and histograms, which is warned of. */
  private isMixed(index: number, histograms: HistogramColumn, lo: number, hi: number): boolean {
    let found = 0;
    for (let i = lo; i < hi; i++) if (histograms.at(i) !== undefined) found++;
    if (found === 0 || found === hi - lo) return false;
    this.evaluation.annotations.mixedSamples(this.metricOf(index), this.pos);
    return true;
  }

  private metricOf(index: number): string {
    return this.series.labels[index]!.get(METRIC_NAME);
  }

  /** The histogram at a time, of which `next` is the first sample not before it. */
  private histogramAt(index: number, next: number, hi: number, timeMs: number): FloatHistogram | undefined {
    const { times, histograms } = this.windows;
    const after = next < hi ? histograms!.at(next) : undefined;
    if (times[next] === timeMs && after !== undefined) return after;
    const before = histograms!.at(next - 1)!;
    if (after === undefined) return before.withHint('unknown');
    const noting = {
      noted: { annotations: this.evaluation.annotations, pos: this.pos },
      metric: this.metricOf(index),
    };
    const isCounter = before.hint !== 'gauge' || after.hint !== 'gauge';
    return unlessMixedSchemas(noting, () => {
      if (before.isCustom !== after.isCustom) throw new MixedSchemas();
      return between(noting, before, times[next - 1]!, after, times[next]!, timeMs, isCounter);
    });
  }
}
