// Remote write's own metrics, under Prometheus's names, where its mixin looks for them.

import { collectFrom, Histogram, type Registry } from '@flotilla/chassis';
import type { RemoteWrite } from '@flotilla/wire';
import type { RemoteWriter } from './remote-writer.ts';
import { type Counts, dropReasons } from './send-stats.ts';

const PREFIX = 'prometheus_remote_storage';
const labelNames = ['remote_name', 'url'];
const kinds: readonly (keyof Counts)[] = ['samples', 'histograms', 'exemplars'];

/** Without a password. */
function shownUrl(config: RemoteWrite): string {
  const url = new URL(config.url);
  if (url.password !== '') url.password = 'xxxxx';
  return url.href;
}

function labelsOf({ config }: { readonly config: RemoteWrite }): [string, string] {
  return [config.name, shownUrl(config)];
}

/** Observes how long requests take. */
export function createSendSummary(metrics: Registry): (config: RemoteWrite, durationMs: number) => void {
  const histogram = new Histogram({
    name: `${PREFIX}_sent_batch_duration_seconds`,
    help: 'Duration of send calls to the remote storage.',
    labelNames,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 120, 300],
    registers: [metrics],
  });
  return (config, durationMs) =>
    histogram.observe({ remote_name: config.name, url: shownUrl(config) }, durationMs / 1000);
}

export function exposeRemoteWrite(metrics: Registry, writers: () => readonly RemoteWriter[]): void {
  const each = (
    type: 'counter' | 'gauge',
    name: string,
    help: string,
    value: (writer: RemoteWriter) => number,
  ): void =>
    collectFrom(metrics, name, help, type, labelNames, (emit) => {
      for (const writer of writers()) emit(value(writer), ...labelsOf(writer));
    });
  exposeCounts(each);
  exposeQueues(each);
  collectFrom(
    metrics,
    `${PREFIX}_samples_dropped_total`,
    'Samples that were not sent, by reason.',
    'counter',
    [...labelNames, 'reason'],
    (emit) => {
      for (const writer of writers())
        for (const reason of dropReasons) {
          const lost = reason === 'wal_truncated' ? writer.lostSamples : 0;
          emit(writer.stats.dropped[reason] + lost, ...labelsOf(writer), reason);
        }
    },
  );
  collectFrom(
    metrics,
    `${PREFIX}_samples_in_total`,
    'Samples read from the WAL for remote write.',
    'counter',
    [],
    (emit) => emit(writers().reduce((sum, { stats }) => sum + stats.samplesIn, 0)),
  );
  collectFrom(
    metrics,
    `${PREFIX}_highest_timestamp_in_seconds`,
    'Highest timestamp read from the WAL for remote write.',
    'gauge',
    [],
    (emit) => emit(Math.max(0, ...writers().map(({ stats }) => stats.highestReadMs)) / 1000),
  );
}

type Each = (
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  value: (writer: RemoteWriter) => number,
) => void;

function exposeCounts(each: Each): void {
  for (const kind of kinds) {
    each('counter', `${PREFIX}_${kind}_total`, `Sent ${kind}.`, ({ stats }) => stats.sent[kind]);
    each(
      'counter',
      `${PREFIX}_${kind}_failed_total`,
      `Refused ${kind}, not tried again.`,
      ({ stats }) => stats.failed[kind],
    );
    each(
      'counter',
      `${PREFIX}_${kind}_retried_total`,
      `Sent ${kind} that are tried again.`,
      ({ stats }) => stats.retried[kind],
    );
    each(
      'gauge',
      `${PREFIX}_${kind}_pending`,
      `Read ${kind} that are not sent.`,
      ({ stats }) => stats.pending[kind],
    );
  }
  each(
    'counter',
    `${PREFIX}_exemplars_dropped_total`,
    'Exemplars that were not sent.',
    ({ stats }) => stats.dropped.exemplars,
  );
  each('counter', `${PREFIX}_metadata_total`, 'Sent metadata of metrics.', ({ stats }) => stats.metadata);
  each(
    'counter',
    `${PREFIX}_metadata_bytes_total`,
    'Bytes of sent metadata, compressed.',
    ({ stats }) => stats.metadataBytes,
  );
  each('counter', `${PREFIX}_bytes_total`, 'Bytes of sent data, compressed.', ({ stats }) => stats.bytes);
  each(
    'counter',
    'flotilla_remote_write_wal_gaps_total',
    'Times that the WAL did not have what was to be sent next.',
    ({ gaps }) => gaps,
  );
}

function exposeQueues(each: Each): void {
  each('gauge', `${PREFIX}_shards`, 'Requests that are sent at once.', ({ stats }) => stats.shards);
  each(
    'gauge',
    `${PREFIX}_shards_desired`,
    'Requests that the samples at hand fill.',
    ({ stats }) => stats.shardsDesired,
  );
  each('gauge', `${PREFIX}_shards_max`, 'Most requests at once.', ({ config }) => config.queue.maxShards);
  each('gauge', `${PREFIX}_shards_min`, 'Fewest requests at once.', ({ config }) => config.queue.minShards);
  each(
    'gauge',
    `${PREFIX}_shard_capacity`,
    'Samples that may wait for each shard.',
    ({ config }) => config.queue.capacity,
  );
  each(
    'gauge',
    `${PREFIX}_max_samples_per_send`,
    'Most samples of a request.',
    ({ config }) => config.queue.samplesPerSendMax,
  );
  each(
    'gauge',
    `${PREFIX}_queue_highest_sent_timestamp_seconds`,
    'Highest timestamp that was sent.',
    ({ stats }) => stats.highestSentMs / 1000,
  );
}
