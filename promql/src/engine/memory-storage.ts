// A storage in memory, for tests of queries and of rules. Series are found by trying every one.

import {
  compareLabels,
  CUSTOM_SCHEMA,
  type FloatHistogram,
  isStale,
  type Labels,
  type Matcher,
  wasReset,
  writeStale,
  sameNumbers,
} from '@flotilla/model';
import type { SelectHints, SelectResult, Series, Storage } from '../storage.ts';

/** A series with room to grow: only the first `count` cells count. */
interface GrowingSeries {
  readonly labels: Labels;
  timestampsMs: Float64Array;
  values: Float64Array;
  histograms: (FloatHistogram | undefined)[] | undefined;
  startTimesMs: Float64Array | undefined;
  count: number;
}

export class MemoryStorage implements Storage {
  private readonly byKey = new Map<string, GrowingSeries>();
  private sorted: readonly GrowingSeries[] | undefined;

  /** Throws RangeError unless the time is after that of the series' last sample. The same sample again is no error. */
  add(labels: Labels, timeMs: number, value: number, startTimeMs = 0): void {
    const series = this.grow(labels, timeMs, value, startTimeMs);
    if (series !== undefined) series.values[series.count - 1] = value;
  }

  /** As add(). What is known of resets is as in Prometheus's storage: nothing of the first sample of a chunk. */
  addHistogram(labels: Labels, timeMs: number, histogram: FloatHistogram, startTimeMs = 0): void {
    const series = this.grow(labels, timeMs, 0, startTimeMs);
    if (series === undefined) return;
    series.histograms ??= Array.from({ length: series.count - 1 });
    const before = series.histograms[series.count - 2];
    series.histograms[series.count - 1] = histogram.withHint(storedHint(before, histogram));
  }

  /** Ends the series at a time, until its next sample. */
  addStale(labels: Labels, timeMs: number): void {
    const series = this.grow(labels, timeMs, NaN, 0);
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
      .map((one) => between(one, hints))
      .filter((one) => one.values.length > 0);
    return Promise.resolve({ series, warnings: [] });
  }

  /** Makes the next cell; undefined if that sample is already there. */
  private grow(
    labels: Labels,
    timeMs: number,
    value: number,
    startTimeMs: number,
  ): GrowingSeries | undefined {
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
    if (startTimeMs !== 0) {
      series.startTimesMs ??= new Float64Array(series.values.length);
      series.startTimesMs[count] = startTimeMs;
    }
    series.count++;
    return series;
  }

  private seriesOf(labels: Labels): GrowingSeries {
    let series = this.byKey.get(labels.key);
    if (series === undefined) {
      series = {
        labels,
        timestampsMs: new Float64Array(16),
        values: new Float64Array(16),
        histograms: undefined,
        startTimesMs: undefined,
        count: 0,
      };
      this.byKey.set(labels.key, series);
      this.sorted = undefined;
    }
    return series;
  }
}

/** A histogram goes on in the chunk of the one before if it has its shape and shows no reset. */
function storedHint(before: FloatHistogram | undefined, now: FloatHistogram): FloatHistogram['hint'] {
  if (now.hint === 'gauge') return 'gauge';
  if (before === undefined || before.hint === 'gauge' || now.hint === 'reset') return 'unknown';
  const sameShape = now.schema === before.schema && now.zeroThreshold === before.zeroThreshold;
  if (!sameShape || (now.schema === CUSTOM_SCHEMA && !sameNumbers(now.customBounds, before.customBounds)))
    return 'unknown';
  return wasReset(now.withHint('unknown'), before) ? 'unknown' : 'not_reset';
}

/** Copies, so that columns that were handed out stay as they are. */
function enlarge(series: GrowingSeries): void {
  const enlarged = (column: Float64Array): Float64Array => {
    const copy = new Float64Array(series.count * 2);
    copy.set(column);
    return copy;
  };
  series.timestampsMs = enlarged(series.timestampsMs);
  series.values = enlarged(series.values);
  if (series.startTimesMs !== undefined) series.startTimesMs = enlarged(series.startTimesMs);
}

function between(series: GrowingSeries, { startMs, endMs, latestOnly = false }: SelectHints): Series {
  let from = 0;
  while (from < series.count && series.timestampsMs[from]! < startMs) from++;
  let to = series.count;
  while (to > from && series.timestampsMs[to - 1]! > endMs) to--;
  if (latestOnly) from = Math.max(from, to - 1);
  const { startTimesMs } = series;
  const histograms = Array.from({ length: to - from }, (_, i) => series.histograms?.[from + i]);
  return {
    labels: series.labels,
    timestampsMs: series.timestampsMs.subarray(from, to),
    values: series.values.subarray(from, to),
    ...(histograms.some((one) => one !== undefined) && { histograms }),
    ...(startTimesMs && { startTimesMs: startTimesMs.subarray(from, to) }),
  };
}
