// The scraper's own metrics. Names that Prometheus has are Prometheus's, so that its mixins and dashboards work.

import { collectFrom, type Registry } from '@flotilla/chassis';
import type { Tsdb } from '@flotilla/tsdb';
import type { AssignmentClient } from './assignment/assignment-client.ts';
import type { HeartbeatSender } from './assignment/heartbeat-sender.ts';
import type { BodyMemory } from './fetch/body-memory.ts';
import type { MetadataStore } from './ingest/metadata-store.ts';
import type { ScrapeCounters } from './ingest/scrape-counters.ts';
import type { Scheduler } from './schedule/scheduler.ts';
import type { TargetSet } from './targets/target-set.ts';

export interface MetricSources {
  readonly counters: ScrapeCounters;
  readonly metadata: MetadataStore;
  readonly scheduler: Scheduler;
  readonly targets: TargetSet;
  readonly memory: BodyMemory;
  readonly assignment: AssignmentClient;
  readonly heartbeats: HeartbeatSender;
  readonly isConnected: () => boolean;
}

/** Everything about scraping; the database's own metrics are apart. */
export function exposeScrapeMetrics(metrics: Registry, sources: MetricSources): void {
  exposeCounters(metrics, sources.counters, sources.scheduler);
  exposeSeriesLimits(metrics, sources.counters);
  exposeState(metrics, sources);
}

function exposeCounters(metrics: Registry, counters: ScrapeCounters, scheduler: Scheduler): void {
  const counter = (name: string, help: string, value: () => number): void =>
    collectFrom(metrics, name, help, 'counter', [], (emit) => emit(value()));
  const scrapes = 'prometheus_target_scrapes';
  counter(
    `${scrapes}_exceeded_sample_limit_total`,
    'Scrapes that hit the sample limit and were rejected.',
    () => counters.exceededSampleLimit,
  );
  counter(
    `${scrapes}_exceeded_native_histogram_bucket_limit_total`,
    'Scrapes that hit the bucket limit of native histograms and were rejected.',
    () => counters.exceededBucketLimit,
  );
  counter(
    `${scrapes}_exceeded_body_size_limit_total`,
    'Scrapes that hit the body size limit.',
    () => counters.exceededBodySizeLimit,
  );
  counter(
    'prometheus_target_scrape_pool_exceeded_label_limits_total',
    'Scrapes that hit a label limit and were rejected.',
    () => counters.exceededLabelLimits,
  );
  counter(
    'prometheus_target_scrape_pool_exceeded_target_limit_total',
    'Assignments with more targets of a job than its target limit.',
    () => counters.exceededTargetLimit,
  );
  counter(
    `${scrapes}_sample_out_of_order_total`,
    'Samples rejected because they are older than the last one of their series.',
    () => counters.outOfOrder,
  );
  counter(
    `${scrapes}_sample_duplicate_timestamp_total`,
    'Samples rejected because their series has another value at that time.',
    () => counters.duplicateTimestamp,
  );
  counter(
    `${scrapes}_sample_out_of_bounds_total`,
    'Samples rejected because their time is too far from now.',
    () => counters.outOfBounds,
  );
  counter(
    `${scrapes}_exemplar_out_of_order_total`,
    'Exemplars rejected because they are older than the last one of their series.',
    () => counters.exemplarsOutOfOrder,
  );
  counter(
    `${scrapes}_skipped_total`,
    'Slots without a scrape, because the process or the scrape before was busy.',
    () => counters.skippedBusy + scheduler.skippedSlots,
  );
  counter(
    'flotilla_scraper_late_scrapes_total',
    "Scrapes that began too late to carry their slot's time.",
    () => counters.late,
  );
  counter(
    'flotilla_scraper_append_failures_total',
    'Scrapes that the database did not take, for lack of disk for example.',
    () => counters.appendFailures,
  );
}

function exposeSeriesLimits(metrics: Registry, counters: ScrapeCounters): void {
  collectFrom(
    metrics,
    'flotilla_scraper_scrapes_exceeded_series_limit_total',
    'Scrapes that would have created more series than the target or the shard may have, or its memory holds, and were rejected.',
    'counter',
    ['limit'],
    (emit) => {
      emit(counters.exceededSeriesLimit, 'target');
      emit(counters.exceededShardSeriesLimit, 'shard');
      emit(counters.exceededRoom, 'memory');
    },
  );
}

function exposeState(metrics: Registry, sources: MetricSources): void {
  const { targets, metadata, memory, assignment, heartbeats, isConnected } = sources;
  const gauge = (name: string, help: string, value: () => number): void =>
    collectFrom(metrics, name, help, 'gauge', [], (emit) => emit(value()));
  collectFrom(
    metrics,
    'prometheus_target_scrape_pool_targets',
    'Targets of a job on this shard.',
    'gauge',
    ['scrape_job'],
    (emit) => {
      for (const [job, count] of targets.countByJob()) emit(count, job);
    },
  );
  collectFrom(
    metrics,
    'flotilla_scraper_assignment_version_info',
    'A metric with a constant 1 and the version of the applied assignment as label.',
    'gauge',
    ['version'],
    (emit) => emit(1, assignment.current?.version ?? ''),
  );
  collectFrom(
    metrics,
    'flotilla_scraper_heartbeat_failures_total',
    'Heartbeats that the operator did not take.',
    'counter',
    [],
    (emit) => emit(heartbeats.failures),
  );
  gauge('flotilla_scraper_targets', 'Targets that this replica scrapes.', () => targets.size);
  gauge('flotilla_scraper_assignment_stream_up', 'Whether the operator is connected.', () =>
    Number(isConnected()),
  );
  gauge('flotilla_scraper_body_memory_bytes', 'Bytes of large bodies in flight.', () => memory.largeBytes);
  gauge('prometheus_target_metadata_cache_entries', 'Metrics with metadata.', () => metadata.size);
}

/** The database's counters and gauges, under Prometheus's names. */
export function exposeTsdbMetrics(metrics: Registry, tsdb: Pick<Tsdb, 'collect'>): void {
  for (const name of Object.keys(tsdb.collect())) {
    const type = name.endsWith('_total') ? 'counter' : 'gauge';
    collectFrom(metrics, name, 'Of the time-series database.', type, [], (emit) =>
      emit(tsdb.collect()[name] ?? 0),
    );
  }
}
