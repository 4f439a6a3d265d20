// A storage in memory, for tests of queries and of rules. Series are found by trying every one.

import { compareLabels, isStale, type Labels, type Matcher, writeStale } from '@flotilla/model';
import type { SelectHints, SelectResult, Series, Storage } from '../storage.ts';

/** A series with room to grow: only the first `count` cells count. */
interface GrowingSeries {
  readonly labels: Labels;
  timestampsMs: Float64Array;
  values: Float64Array;
  count: number;
}

export class MemoryStorage implements Storage {
  private readonly byKey = new Map<string, GrowingSeries>();
  private sorted: readonly GrowingSeries[] | undefined;

  /** Throws RangeError unless the time is after that of the series' last sample. The same sample again is no error. */
  add(labels: Labels, timeMs: number, value: number): void {
    const series = this.grow(labels, timeMs, value);
    if (series !== undefined) series.values[series.count - 1] = value;
  }

  /** Ends the series at a time, until its next sample. */
  addStale(labels: Labels, timeMs: number): void {
    const series = this.grow(labels, timeMs, NaN);
    if (series !== undefined) writeStale(series.values, series.count - 1);
  }

  clear(): void {
    this.byKey.clear();
    this.sorted = undefined;
  }

  select(matchers: readonly Matcher[], hints: SelectHints): Promise<SelectResult> {
    this.sorted ??= [...this.byKey.values()].toSorted((a, b) => compareLabels(a.labels, b.labels));
    const series = this.sorted
      .filter(({ labels }) => matchers.every((matcher) => matcher.matches(labels.get(matcher.name))))
      .map((one) => between(one, hints.startMs, hints.endMs))
      .filter((one) => one.values.length > 0);
    return Promise.resolve({ series, warnings: [] });
  }

  /** Makes the next cell; undefined if that sample is already there. */
  private grow(labels: Labels, timeMs: number, value: number): GrowingSeries | undefined {
    const series = this.seriesOf(labels);
    const { count } = series;
    const last = count > 0 ? series.timestampsMs[count - 1]! : -Infinity;
    if (timeMs === last && Object.is(series.values[count - 1], value) && !isStale(series.values, count - 1))
      return undefined;
    if (timeMs <= last) {
      throw new RangeError(`memory storage: ${labels.toMetric()}: time ${timeMs}, want more than ${last}`);
    }
    if (count === series.values.length) enlarge(series);
    series.timestampsMs[count] = timeMs;
    series.count++;
    return series;
  }

  private seriesOf(labels: Labels): GrowingSeries {
    let series = this.byKey.get(labels.key);
    if (series === undefined) {
      series = { labels, timestampsMs: new Float64Array(16), values: new Float64Array(16), count: 0 };
      this.byKey.set(labels.key, series);
      this.sorted = undefined;
    }
    return series;
  }
}

/** Copies, so that columns that were handed out stay as they are. */
function enlarge(series: GrowingSeries): void {
  const timestampsMs = new Float64Array(series.count * 2);
  const values = new Float64Array(series.count * 2);
  timestampsMs.set(series.timestampsMs);
  values.set(series.values);
  series.timestampsMs = timestampsMs;
  series.values = values;
}

function between(series: GrowingSeries, startMs: number, endMs: number): Series {
  let from = 0;
  while (from < series.count && series.timestampsMs[from]! < startMs) from++;
  let to = series.count;
  while (to > from && series.timestampsMs[to - 1]! > endMs) to--;
  return {
    labels: series.labels,
    timestampsMs: series.timestampsMs.subarray(from, to),
    values: series.values.subarray(from, to),
  };
}
