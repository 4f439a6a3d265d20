// From the answers of stores to the series that the engine sees: grouped by labels, deduplicated by slot, sorted.

import { compareLabels, Labels, METRIC_NAME } from '@flotilla/model';
import type { Series } from '@flotilla/promql';
import type { SeriesMessage } from '@flotilla/wire';
import { decodeSeries } from './decode-series.ts';
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

interface Group {
  readonly labels: Labels;
  readonly members: { readonly message: SeriesMessage; readonly store: string }[];
}

const bytesPerSample = 16;

/** Merges the answers of all stores; the result is sorted by labels, without duplicates, without empty series. */
export function mergeSeries(answers: readonly StoreAnswer[], options: MergeOptions): Series[] {
  const groups = new Map<string, Group>();
  for (const { store, replica, series } of answers) {
    for (const message of series) {
      const labels = labelsOf(message, options.dedup ? undefined : replica);
      const group = groups.get(labels.key);
      if (group === undefined) groups.set(labels.key, { labels, members: [{ message, store }] });
      else group.members.push({ message, store });
    }
  }
  const sorted = [...groups.values()].toSorted((a, b) => compareLabels(a.labels, b.labels));
  return sorted
    .map((group) => mergeGroup(group, options))
    .filter(({ timestampsMs }) => timestampsMs.length > 0);
}

function labelsOf({ labels }: SeriesMessage, replica: number | undefined): Labels {
  if (replica === undefined) return Labels.fromSorted(labels.flat());
  return Labels.fromPairs([...labels.filter(([name]) => name !== 'replica'), ['replica', `${replica}`]]);
}

function mergeGroup({ labels, members }: Group, options: MergeOptions): Series {
  const { minTimeMs, maxTimeMs } = options;
  const sources: Columns[] = members.map(({ message, store }) => {
    options.take(message.chunks.reduce((sum, { samples }) => sum + samples, 0) * bytesPerSample);
    const where = `store ${store}: series ${labels.toMetric()}`;
    return decodeSeries(message.chunks, minTimeMs, maxTimeMs, where, options.take);
  });
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
