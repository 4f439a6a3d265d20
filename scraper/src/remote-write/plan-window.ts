// Hot: which samples of a window go together in a request. Pure, and the same for the same window: after a restart the
// requests that may have been sent are made again, sample for sample.

import type { RefExemplar, RefHistogram, SeriesRef, TailBatch } from '@flotilla/tsdb';
import { type CachedSeries, DROPPED } from './series-cache.ts';
import { type Counts, type DropReason, noCounts } from './send-stats.ts';

/** Samples of one request, as indexes: of the samples of the batch, then of its histograms, then of its exemplars. */
export interface WriteRequest {
  readonly items: Uint32Array;
  readonly counts: Readonly<Counts>;
}

export interface WindowPlan {
  /** For each shard its requests, to be sent one after the other. */
  readonly shards: readonly (readonly WriteRequest[])[];
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
}

export interface WindowOptions {
  readonly shards: number;
  readonly samplesPerSend: number;
  /** Older samples are dropped. */
  readonly minTimeMs: number;
  readonly sendHistograms: boolean;
  readonly sendExemplars: boolean;
}

/** undefined for a series that nobody knows. */
export type SeriesOf = (ref: SeriesRef) => CachedSeries | undefined;

export function planWindow(batch: TailBatch, seriesOf: SeriesOf, options: WindowOptions): WindowPlan {
  const { shards, samplesPerSend } = options;
  const dropped: Partial<Record<DropReason, number>> = {};
  const items = Array.from({ length: shards }, (): number[] => []);
  const size = batch.size;
  for (let i = 0; i < size; i++) {
    const reason = dropReasonOf(batch, i, seriesOf, options);
    if (reason !== undefined) {
      const as = kindOf(batch, i) === 'exemplars' ? 'exemplars' : reason;
      dropped[as] = (dropped[as] ?? 0) + 1;
    } else items[shardOfRef(refOf(batch, i), shards)]!.push(i);
  }
  return { shards: items.map((list) => requestsOf(list, batch, samplesPerSend)), dropped };
}

function dropReasonOf(
  batch: TailBatch,
  item: number,
  seriesOf: SeriesOf,
  { minTimeMs, sendHistograms, sendExemplars }: WindowOptions,
): DropReason | undefined {
  const kind = kindOf(batch, item);
  if (kind === 'exemplars' && !sendExemplars) return 'exemplars';
  const series = seriesOf(refOf(batch, item));
  if (series === undefined) return 'unintentionally_dropped_series';
  if (series === DROPPED) return 'dropped_series';
  if (timeOf(batch, item) < minTimeMs) return 'too_old';
  return kind === 'histograms' && !sendHistograms ? 'native_histograms_off' : undefined;
}

/** A series stays in its shard, so that its samples go out in order. */
function shardOfRef(ref: SeriesRef, shards: number): number {
  return (Math.imul(ref, 0x9e3779b1) >>> 8) % shards;
}

export function kindOf(batch: TailBatch, item: number): keyof Counts {
  if (item < batch.samples) return 'samples';
  return item < batch.samples + batch.histograms.length ? 'histograms' : 'exemplars';
}

export function histogramOf(batch: TailBatch, item: number): RefHistogram {
  return batch.histograms[item - batch.samples]!;
}

export function exemplarOf(batch: TailBatch, item: number): RefExemplar {
  return batch.exemplars[item - batch.samples - batch.histograms.length]!;
}

export function refOf(batch: TailBatch, item: number): SeriesRef {
  if (item < batch.samples) return batch.refs[item]!;
  return kindOf(batch, item) === 'histograms' ? histogramOf(batch, item).ref : exemplarOf(batch, item).ref;
}

function timeOf(batch: TailBatch, item: number): number {
  if (item < batch.samples) return batch.timesMs[item]!;
  if (kindOf(batch, item) === 'histograms') return histogramOf(batch, item).timeMs;
  return exemplarOf(batch, item).exemplar.timeMs;
}

/** Cuts a shard's items, and puts those of a series together, in the order of the log. */
function requestsOf(list: readonly number[], batch: TailBatch, samplesPerSend: number): WriteRequest[] {
  const requests: WriteRequest[] = [];
  for (let from = 0; from < list.length; from += samplesPerSend) {
    const items = Uint32Array.from(list.slice(from, from + samplesPerSend));
    items.sort((a, b) => compareItems(batch, a, b));
    requests.push(requestOf(batch, items));
  }
  return requests;
}

/** Two halves, each with whole series; undefined for a request of one series. */
export function halves(
  batch: TailBatch,
  { items }: WriteRequest,
): readonly [WriteRequest, WriteRequest] | undefined {
  const differs = (i: number): boolean => refOf(batch, items[i - 1]!) !== refOf(batch, items[i]!);
  const middle = items.length >> 1;
  for (let step = 0; step <= middle; step++) {
    for (const at of [middle + step, middle - step])
      if (at > 0 && at < items.length && differs(at))
        return [requestOf(batch, items.slice(0, at)), requestOf(batch, items.slice(at))];
  }
  return undefined;
}

function requestOf(batch: TailBatch, items: Uint32Array): WriteRequest {
  const counts = noCounts();
  for (const item of items) counts[kindOf(batch, item)]++;
  return { items, counts };
}

const kindOrder: Readonly<Record<keyof Counts, number>> = { samples: 0, exemplars: 1, histograms: 2 };

/** Series by series; exemplars between the two kinds that may be theirs. */
function compareItems(batch: TailBatch, a: number, b: number): number {
  const kinds = kindOrder[kindOf(batch, a)] - kindOrder[kindOf(batch, b)];
  return refOf(batch, a) - refOf(batch, b) || kinds || a - b;
}
