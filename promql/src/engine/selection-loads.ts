// What a storage is asked for, so that all selectors of a query have their series: selectors of the same matchers whose
// times overlap are one load, and one whose matchers are among those of another covers it. Each selector then gets what
// it would have got alone.

import type { Matcher } from '@flotilla/model';
import type { SelectHints, Series } from '../storage.ts';
import { columnBetween, holdsHistogram } from './histogram-column.ts';

/** What one selector wants. */
export interface Wanted {
  readonly matchers: readonly Matcher[];
  readonly hints: SelectHints;
}

/** One request to a storage, and the selectors that it serves. */
export interface Load<W extends Wanted> {
  readonly matchers: readonly Matcher[];
  readonly hints: SelectHints;
  readonly users: readonly W[];
}

export function planLoads<W extends Wanted>(wanted: Iterable<W>): Load<W>[] {
  const byMatchers = new Map<string, W[]>();
  for (const one of wanted) {
    const key = JSON.stringify(one.matchers.map(String).toSorted());
    const same = byMatchers.get(key);
    if (same === undefined) byMatchers.set(key, [one]);
    else same.push(one);
  }
  return withoutCovered([...byMatchers.values()].flatMap(joinOverlapping));
}

/** Of the same matchers: those whose times overlap. */
function joinOverlapping<W extends Wanted>(same: readonly W[]): Load<W>[] {
  const loads: Load<W>[] = [];
  for (const one of same.toSorted((a, b) => a.hints.startMs - b.hints.startMs)) {
    const last = loads.at(-1);
    if (last !== undefined && one.hints.startMs <= last.hints.endMs) {
      const users = [...last.users, one];
      loads[loads.length - 1] = { ...last, hints: joinHints(last.hints, one.hints), users };
    } else loads.push({ matchers: one.matchers, hints: one.hints, users: [one] });
  }
  return loads;
}

/** Hints that are true of both. */
function joinHints(a: SelectHints, b: SelectHints): SelectHints {
  const isSame = a.func === b.func && a.by === b.by && String(a.grouping) === String(b.grouping);
  const { func, grouping, by } = isSame ? a : { func: '', grouping: [], by: false };
  return {
    startMs: Math.min(a.startMs, b.startMs),
    endMs: Math.max(a.endMs, b.endMs),
    stepMs: a.stepMs === b.stepMs ? a.stepMs : 0,
    rangeMs: a.rangeMs === b.rangeMs ? a.rangeMs : 0,
    func,
    grouping,
    by,
    ...(isLatestOfBoth(a, b) && { latestOnly: true }),
  };
}

/** Whether one newest sample is all that either wants. */
function isLatestOfBoth(a: SelectHints, b: SelectHints): boolean {
  return a.latestOnly === true && b.latestOnly === true && a.endMs === b.endMs;
}

/** A load with more matchers than another that has its times is served by that. */
function withoutCovered<W extends Wanted>(loads: readonly Load<W>[]): Load<W>[] {
  const kept: Load<W>[] = [];
  for (const load of loads.toSorted((a, b) => a.matchers.length - b.matchers.length)) {
    const at = kept.findIndex((other) => covers(other, load));
    if (at === -1) kept.push(load);
    else kept[at] = { ...kept[at]!, users: [...kept[at]!.users, ...load.users] };
  }
  return kept;
}

function covers(wide: Wanted, narrow: Wanted): boolean {
  const isInTime = wide.hints.startMs <= narrow.hints.startMs && wide.hints.endMs >= narrow.hints.endMs;
  const hasAll = wide.hints.latestOnly !== true || isLatestOfBoth(wide.hints, narrow.hints);
  if (!isInTime || !hasAll) return false;
  const texts = new Set(narrow.matchers.map(String));
  return wide.matchers.every((matcher) => texts.has(String(matcher)));
}

/** The series of a load that one of its users wants, and of these the samples in its time. */
export function servedSeries(load: Wanted, series: readonly Series[], wanted: Wanted): readonly Series[] {
  const texts = new Set(load.matchers.map(String));
  const more = wanted.matchers.filter((matcher) => !texts.has(String(matcher)));
  const found =
    more.length === 0
      ? series
      : series.filter(({ labels }) => more.every((matcher) => matcher.matches(labels.get(matcher.name))));
  const { startMs, endMs } = wanted.hints;
  if (load.hints.startMs === startMs && load.hints.endMs === endMs) return found;
  const cut = new TimeCut(startMs, endMs);
  return found.flatMap((one) => cut.of(one) ?? []);
}

/** Takes the samples of a time out of series. Series that share their times go on to share them. */
class TimeCut {
  private readonly startMs: number;
  private readonly endMs: number;
  private whole: Float64Array = new Float64Array(0);
  private part: Float64Array = this.whole;
  private from = 0;
  private to = 0;

  constructor(startMs: number, endMs: number) {
    this.startMs = startMs;
    this.endMs = endMs;
  }

  /** Undefined if nothing is left. */
  of(series: Series): Series | undefined {
    const { labels, timestampsMs, values, hasNaN = true, histograms, startTimesMs } = series;
    if (timestampsMs !== this.whole) this.cut(timestampsMs);
    const { from, to, part } = this;
    if (from === to) return undefined;
    if (part === timestampsMs) return series;
    const inside = histograms && columnBetween(histograms, from, to);
    return {
      labels,
      timestampsMs: part,
      values: values.subarray(from, to),
      hasNaN,
      ...(inside && holdsHistogram(inside) && { histograms: inside }),
      ...(startTimesMs && { startTimesMs: startTimesMs.subarray(from, to) }),
    };
  }

  private cut(times: Float64Array): void {
    this.from = countBelow(times, this.startMs);
    this.to = countBelow(times, this.endMs + 1);
    this.whole = times;
    this.part = this.from === 0 && this.to === times.length ? times : times.subarray(this.from, this.to);
  }
}

/** How many times are before one. */
function countBelow(times: Float64Array, timeMs: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
