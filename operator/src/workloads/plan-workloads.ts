// From a Fleet and its shards to the workloads that it needs. Pure.

import type { FleetSpec } from '../discovery/fleet-spec.ts';
import type { WorkloadSpec } from './workloads.ts';

/** Scrapers of all shards, queriers, rulers, in this order. */
export function planWorkloads(fleet: FleetSpec, shards: readonly number[]): WorkloadSpec[] {
  return [
    ...shards.flatMap((shard) => replicas(fleet.replicas, (replica) => scraper(fleet, shard, replica))),
    ...replicas(fleet.querier.replicas, (replica) => querier(fleet, replica)),
    ...replicas(fleet.ruler.replicas, (replica) => ruler(fleet, replica)),
  ];
}

function replicas(count: number, make: (replica: number) => WorkloadSpec): WorkloadSpec[] {
  return Array.from({ length: count }, (_, replica) => make(replica));
}

function scraper(fleet: FleetSpec, shard: number, replica: number): WorkloadSpec {
  const { timestampTolerance, replicaOffset, extraScrapeMetrics, scrapeFailureLogFile } = fleet;
  return {
    name: `scraper-${fleet.name}-${shard}-${replica}`,
    binary: 'scraper',
    shard,
    replica,
    flags: {
      fleet: fleet.name,
      shard: `${shard}`,
      replica: `${replica}`,
      'storage.retention': fleet.retention,
      ...(timestampTolerance !== undefined && { 'scrape.timestamp-tolerance': timestampTolerance }),
      ...(replicaOffset !== undefined && { 'scrape.replica-offset': replicaOffset }),
      ...(extraScrapeMetrics && { 'scrape.extra-metrics': 'true' }),
      ...(scrapeFailureLogFile !== '' && { 'scrape.failure-log-file': scrapeFailureLogFile }),
    },
  };
}

function querier({ name, querier: spec, evaluationInterval }: FleetSpec, replica: number): WorkloadSpec {
  return {
    name: `querier-${name}-${replica}`,
    binary: 'querier',
    shard: 0,
    replica,
    flags: {
      'query.lookback-delta': spec.lookbackDelta,
      'query.timeout': spec.timeout,
      'query.max-concurrency': `${spec.maxConcurrency}`,
      'query.max-samples': `${spec.maxSamples}`,
      'query.max-bytes': spec.maxBytes,
      'query.default-interval': evaluationInterval,
    },
  };
}

function ruler(fleet: FleetSpec, replica: number): WorkloadSpec {
  return {
    name: `ruler-${fleet.name}-${replica}`,
    binary: 'ruler',
    shard: 0,
    replica,
    flags: {
      replica: `${replica}`,
      'storage.retention': fleet.retention,
      'evaluation-interval': fleet.evaluationInterval,
      'alertmanager.url': fleet.ruler.alertmanagers.map(({ url }) => url),
      'external-label': Object.entries(fleet.externalLabels).map(([name, value]) => `${name}=${value}`),
      'web.external-url': fleet.ruler.externalUrl,
    },
  };
}
