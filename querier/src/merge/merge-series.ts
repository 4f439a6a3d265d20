// From the answers of stores to the series that the engine sees: grouped by labels, deduplicated by slot, sorted.
//
// Answers are sorted by labels already, so they are merged as they are; where one store alone has a series, which is the
// rule, nothing is looked at twice.

import { compareLabels, Labels, METRIC_NAME } from '@flotilla/model';
import type { Series } from '@flotilla/promql';
import type { StoreSeries } from './decode-series.ts';
import { mergeSlots } from './slot-merge.ts';

/** What one store answered; answers are given in order of preference. */
export interface StoreAnswer {
  readonly replica: number;
  readonly series: readonly StoreSeries[];
  /** Known to be in the order of labels, no labels twice. */
  readonly isSorted: boolean;
}

/**
 * Merges the answers of all stores; the result is sorted by labels, without duplicates, without empty series.
 * Without `dedup` every replica's series are apart, told by a `replica` label.
 */
export function mergeSeries(answers: readonly StoreAnswer[], dedup: boolean): readonly Series[] {
  if (answers.length === 1 && dedup && answers[0]!.isSorted) return withoutEmpty(answers[0]!.series);
  let lists = answers.map((answer) => sortedSeries(answer, dedup));
  while (lists.length > 1) lists = mergedPairs(lists);
  const all = lists[0] ?? [];
  const merged: Series[] = [];
  for (let from = 0; from < all.length;) {
    let to = from + 1;
    while (to < all.length && all[to]!.labels.equals(all[from]!.labels)) to++;
    const one = to === from + 1 ? all[from]! : mergeGroup(all.slice(from, to));
    if (one.timestampsMs.length > 0) merged.push(one);
    from = to;
  }
  return merged;
}

function sortedSeries({ replica, series, isSorted }: StoreAnswer, dedup: boolean): readonly StoreSeries[] {
  if (dedup && isSorted) return series;
  const named = dedup ? series : series.map((one) => withReplica(one, replica));
  return named.toSorted((a, b) => compareLabels(a.labels, b.labels));
}

function withoutEmpty(series: readonly StoreSeries[]): readonly Series[] {
  const isEmpty = ({ timestampsMs }: Series): boolean => timestampsMs.length === 0;
  return series.some(isEmpty) ? series.filter((one) => !isEmpty(one)) : series;
}

function withReplica(series: StoreSeries, replica: number): StoreSeries {
  const others = [...series.labels].filter(([name]) => name !== 'replica');
  return { ...series, labels: Labels.fromPairs([...others, ['replica', `${replica}`]]) };
}

/** Half as many lists; of equal labels, those of the earlier list come first. */
function mergedPairs(lists: readonly (readonly StoreSeries[])[]): (readonly StoreSeries[])[] {
  const merged: (readonly StoreSeries[])[] = [];
  for (let i = 0; i < lists.length; i += 2) merged.push(mergedLists(lists[i]!, lists[i + 1] ?? []));
  return merged;
}

function mergedLists(a: readonly StoreSeries[], b: readonly StoreSeries[]): StoreSeries[] {
  const merged: StoreSeries[] = [];
  let at = 0;
  for (const member of a) {
    while (at < b.length && compareLabels(b[at]!.labels, member.labels) < 0) merged.push(b[at++]!);
    merged.push(member);
  }
  while (at < b.length) merged.push(b[at++]!);
  return merged;
}

function mergeGroup(members: readonly StoreSeries[]): Series {
  const { labels } = members[0]!;
  const schedule = members.find(({ intervalMs }) => intervalMs > 0) ?? { intervalMs: 0, phaseMs: 0 };
  return { labels, ...mergeSlots(members, schedule, isCounterName(labels.get(METRIC_NAME))) };
}

/** The names that Prometheus takes for counters when it has no metadata. */
function isCounterName(name: string): boolean {
  return /_(?:total|sum|count|bucket)$/.test(name);
}
