// From the answers of stores to the series that the engine sees: grouped by labels, deduplicated by slot, sorted.
//
// Answers are sorted by labels already, so they are merged as they are; where one store alone has a series, which is the
// rule, nothing is looked at twice.

import { compareLabels, Labels, METRIC_NAME } from '@flotilla/model';
import type { Series } from '@flotilla/promql';
import type { SeriesMessage } from '@flotilla/wire';
import { SeriesDecoder } from './decode-series.ts';
import { mergeSlots } from './slot-merge.ts';
import type { Columns } from './slot-merge.ts';

/** What one store answered; answers are given in order of preference. */
export interface StoreAnswer {
  readonly store: string;
  readonly replica: number;
  readonly series: readonly SeriesMessage[];
}

export interface MergeOptions {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** False: every replica's series apart, told by a `replica` label. */
  readonly dedup: boolean;
  /** Told the bytes of columns before they are made; throws when they are too many. */
  readonly take: (bytes: number) => void;
}

/** One series of one answer. */
interface Member {
  readonly labels: Labels;
  readonly message: SeriesMessage;
  readonly store: string;
}

/** Merges the answers of all stores; the result is sorted by labels, without duplicates, without empty series. */
export function mergeSeries(answers: readonly StoreAnswer[], options: MergeOptions): Series[] {
  let lists = answers.map((answer) => sortedMembers(answer, options.dedup));
  while (lists.length > 1) lists = mergedPairs(lists);
  const members = lists[0] ?? [];
  const decoder = new SeriesDecoder(options);
  const series: Series[] = [];
  for (let from = 0; from < members.length;) {
    let to = from + 1;
    while (to < members.length && members[to]!.labels.equals(members[from]!.labels)) to++;
    const one = mergeGroup(to === from + 1 ? [members[from]!] : members.slice(from, to), decoder);
    if (one.timestampsMs.length > 0) series.push(one);
    from = to;
  }
  return series;
}

function sortedMembers({ store, replica, series }: StoreAnswer, dedup: boolean): Member[] {
  const members = series.map((message) => ({
    labels: labelsOf(message, dedup ? undefined : replica),
    message,
    store,
  }));
  const isSorted = members.every(
    ({ labels }, i) => i === 0 || compareLabels(members[i - 1]!.labels, labels) <= 0,
  );
  return isSorted ? members : members.toSorted((a, b) => compareLabels(a.labels, b.labels));
}

function labelsOf({ labels }: SeriesMessage, replica: number | undefined): Labels {
  const given = Labels.fromSorted(labels);
  if (replica === undefined) return given;
  return Labels.fromPairs([...[...given].filter(([name]) => name !== 'replica'), ['replica', `${replica}`]]);
}

/** Half as many lists; of equal labels, those of the earlier list come first. */
function mergedPairs(lists: readonly (readonly Member[])[]): Member[][] {
  const merged: Member[][] = [];
  for (let i = 0; i < lists.length; i += 2) merged.push(mergedLists(lists[i]!, lists[i + 1] ?? []));
  return merged;
}

function mergedLists(a: readonly Member[], b: readonly Member[]): Member[] {
  const merged: Member[] = [];
  let at = 0;
  for (const member of a) {
    while (at < b.length && compareLabels(b[at]!.labels, member.labels) < 0) merged.push(b[at++]!);
    merged.push(member);
  }
  while (at < b.length) merged.push(b[at++]!);
  return merged;
}

function mergeGroup(members: readonly Member[], decoder: SeriesDecoder): Series {
  const { labels } = members[0]!;
  if (members.length === 1) return { labels, ...decoder.decode(members[0]!) };
  const sources: Columns[] = members.map((member) => decoder.decode(member));
  const schedule = members.find(({ message }) => message.intervalMs > 0)?.message ?? {
    intervalMs: 0,
    phaseMs: 0,
  };
  return { labels, ...mergeSlots(sources, schedule, isCounterName(labels.get(METRIC_NAME))) };
}

/** The names that Prometheus takes for counters when it has no metadata. */
function isCounterName(name: string): boolean {
  return /_(?:total|sum|count|bucket)$/.test(name);
}
