// Targets of /api/v1/targets: each once, with its owner shard and how both replicas fare with it.

import { compareUtf8, formatDuration } from '@flotilla/model';
import type { DiscoveredTarget, LabelRecord, TargetsResponse, TargetStatus } from '@flotilla/wire';
import type { StoreReport } from './fleet-view.ts';

export type MergedTarget = ReturnType<typeof mergeReplicas>;

/** Joins the replicas of each target. While a target is handed over, two shards scrape it, and it is listed with each. */
export function mergeTargets(
  reports: readonly StoreReport<TargetsResponse>[],
  discovered: readonly DiscoveredTarget[],
): MergedTarget[] {
  const byKey = new Map<string, TargetStatus[]>();
  for (const target of reports.flatMap(({ value }) => value?.targets ?? [])) {
    const key = `${target.id} ${target.shard}`;
    const known = byKey.get(key);
    if (known === undefined) byKey.set(key, [target]);
    else known.push(target);
  }
  const labelsOf = new Map(
    discovered.map(({ scrapePool, url, labels, discoveredLabels }) => [
      keyOf(scrapePool, url, labels),
      discoveredLabels,
    ]),
  );
  return [...byKey.values()]
    .map((replicas) => {
      const [{ job, url, labels }] = replicas as [TargetStatus];
      return mergeReplicas(replicas, labelsOf.get(keyOf(job, url, labels)));
    })
    .toSorted(
      (a, b) =>
        compareUtf8(a.scrapePool, b.scrapePool) || compareUtf8(a.scrapeUrl, b.scrapeUrl) || a.shard - b.shard,
    );
}

/** Both sides write labels sorted. */
function keyOf(pool: string, url: string, labels: LabelRecord): string {
  return JSON.stringify([pool, url, labels]);
}

function mergeReplicas(replicas: readonly TargetStatus[], discoveredLabels: LabelRecord | undefined) {
  const best = replicas.find(({ health }) => health === 'up') ?? replicas[0]!;
  return {
    discoveredLabels: discoveredLabels ?? labelsOfUrl(best),
    labels: best.labels,
    scrapePool: best.job,
    scrapeUrl: best.url,
    globalUrl: best.url,
    lastError: best.lastError,
    lastScrape: timeText(best.lastScrapeMs),
    lastScrapeDuration: best.lastScrapeDurationMs / 1000,
    health: best.health,
    scrapeInterval: formatDuration(best.intervalMs),
    scrapeTimeout: formatDuration(best.timeoutMs),
    shard: best.shard,
    slot: best.slot,
    replicas: replicas.map(replicaView).toSorted((a, b) => a.replica - b.replica),
  };
}

/** What can be told without the operator. By text: a target's URL need not be one that can be parsed. */
function labelsOfUrl({ url, job, intervalMs, timeoutMs }: TargetStatus): LabelRecord {
  const [, scheme = '', address = '', path = ''] = /^([^:]*):\/\/([^/?]*)([^?]*)/.exec(url) ?? [];
  return {
    __address__: address,
    __metrics_path__: path,
    __scheme__: scheme,
    __scrape_interval__: formatDuration(intervalMs),
    __scrape_timeout__: formatDuration(timeoutMs),
    job,
  };
}

function replicaView({ replica, health, lastError, lastScrapeMs, lastScrapeDurationMs }: TargetStatus) {
  return {
    replica,
    health,
    lastError,
    lastScrape: timeText(lastScrapeMs),
    lastScrapeDuration: lastScrapeDurationMs / 1000,
  };
}

/** Go's zero time for a target that was not scraped yet. */
function timeText(timeMs: number): string {
  return timeMs === 0 ? '0001-01-01T00:00:00Z' : new Date(timeMs).toISOString();
}
