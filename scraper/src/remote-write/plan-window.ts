// Hot: which samples of a window go together in a request. Pure, and the same for the same window: after a restart the
// requests that may have been sent are made again, sample for sample.

import type { SeriesRef, TailBatch } from '@flotilla/tsdb';
import { type CachedSeries, DROPPED } from './series-cache.ts';
import type { Counts, DropReason } from './send-stats.ts';

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
    if (reason !== undefined) dropped[reason] = (dropped[reason] ?? 0) + 1;
    else items[shardOfRef(refOf(batch, i), shards)]!.push(i);
  }
  return { shards: items.map((list) => requestsOf(list, batch, samplesPerSend)), dropped };
}

function dropReasonOf(
  batch: TailBatch,
  item: number,
  seriesOf: SeriesOf,
  { minTimeMs, sendHistograms }: WindowOptions,
): DropReason | undefined {
  const series = seriesOf(refOf(batch, item));
  if (series === undefined) return 'unintentionally_dropped_series';
  if (series === DROPPED) return 'dropped_series';
  if (timeOf(batch, item) < minTimeMs) return 'too_old';
  return item >= batch.samples && !sendHistograms ? 'native_histograms_off' : undefined;
}

/** A series stays in its shard, so that its samples go out in order. */
function shardOfRef(ref: SeriesRef, shards: number): number {
  return (Math.imul(ref, 0x9e3779b1) >>> 8) % shards;
}

export function refOf(batch: TailBatch, item: number): SeriesRef {
  return item < batch.samples ? batch.refs[item]! : batch.histograms[item - batch.samples]!.ref;
}

export function timeOf(batch: TailBatch, item: number): number {
  return item < batch.samples ? batch.timesMs[item]! : batch.histograms[item - batch.samples]!.timeMs;
}

/** Cuts a shard's items, and puts those of a series together, in the order of the log. */
function requestsOf(list: readonly number[], batch: TailBatch, samplesPerSend: number): WriteRequest[] {
  const requests: WriteRequest[] = [];
  for (let from = 0; from < list.length; from += samplesPerSend) {
    const items = Uint32Array.from(list.slice(from, from + samplesPerSend));
    const samples = items.filter((item) => item < batch.samples).length;
    items.sort((a, b) => compareItems(batch, a, b));
    requests.push({ items, counts: { samples, histograms: items.length - samples, exemplars: 0 } });
  }
  return requests;
}

/** Floats before histograms: a series of 2.0 has either. */
function compareItems(batch: TailBatch, a: number, b: number): number {
  const kinds = Number(a >= batch.samples) - Number(b >= batch.samples);
  return kinds || refOf(batch, a) - refOf(batch, b) || a - b;
}
