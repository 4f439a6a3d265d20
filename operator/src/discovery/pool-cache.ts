// Relabels the targets of all jobs, and keeps what it made: relabeling is the operator's work, and one pod that changes must cost the
// targets of that pod, not of the fleet. Groups keep their identity while nothing in them changes, so identity is the key.

import { errorText } from '@flotilla/chassis';
import { compareUtf8, relabelRuleConfig } from '@flotilla/model';
import type { ScrapeJob } from '../monitors/scrape-job.ts';
import type { PoolTarget, ScrapePool } from './findings.ts';
import { relabelTarget } from './relabel-targets.ts';
import type { TargetGroup } from './target-group.ts';

/** What became of the targets of a group in one job. */
interface RelabeledGroup {
  readonly targets: readonly PoolTarget[];
  readonly droppedCount: number;
  /** Of targets that relabeling broke. */
  readonly errors: readonly string[];
}

interface CachedPool {
  readonly signature: string;
  readonly groups: ReadonlyMap<TargetGroup, RelabeledGroup>;
  readonly pool: ScrapePool;
}

export interface PoolsTaken {
  /** The same array while no pool has changed; a pool is the same object while nothing in it has. */
  readonly pools: readonly ScrapePool[];
  /** Jobs of which relabeling broke some targets. */
  readonly errors: readonly { readonly job: ScrapeJob; readonly reasons: readonly string[] }[];
}

export class PoolCache {
  #cached: ReadonlyMap<string, CachedPool> = new Map();
  #pools: readonly ScrapePool[] = [];
  /** Targets that were relabeled so far, cached ones not counted. */
  relabeled = 0;

  /** `jobs` sorted by name. */
  take(jobs: readonly ScrapeJob[]): PoolsTaken {
    const now = new Map<string, CachedPool>();
    const errors: { job: ScrapeJob; reasons: readonly string[] }[] = [];
    for (const job of jobs) {
      const cached = this.#takeJob(job, this.#cached.get(job.job.name));
      now.set(job.job.name, cached);
      const reasons = [...cached.groups.values()].flatMap((group) => group.errors);
      if (reasons.length > 0) errors.push({ job, reasons });
    }
    this.#cached = now;
    const pools = [...now.values()].map(({ pool }) => pool);
    const isSame = pools.length === this.#pools.length && pools.every((pool, i) => pool === this.#pools[i]);
    if (!isSame) this.#pools = pools;
    return { pools: this.#pools, errors };
  }

  #takeJob(scrape: ScrapeJob, before: CachedPool | undefined): CachedPool {
    const signature = signatureOf(scrape);
    const known = before?.signature === signature ? before.groups : undefined;
    const groups = new Map<TargetGroup, RelabeledGroup>();
    let isSame = known !== undefined;
    for (const group of scrape.groups()) {
      const cached = known?.get(group);
      isSame &&= cached !== undefined;
      groups.set(group, cached ?? this.#relabel(scrape, group));
    }
    if (isSame && known!.size === groups.size) return { ...before!, groups };
    const pool = poolOf(scrape, [...groups.values()]);
    return {
      signature,
      groups,
      pool: before !== undefined && isEqual(before.pool, pool) ? before.pool : pool,
    };
  }

  #relabel(scrape: ScrapeJob, group: TargetGroup): RelabeledGroup {
    const targets: PoolTarget[] = [];
    const errors: string[] = [];
    for (const discovered of group.targets) {
      this.relabeled++;
      try {
        const { target } = relabelTarget(scrape, discovered);
        if (target !== undefined) targets.push(target);
      } catch (error) {
        errors.push(`${group.source}: ${errorText(error)}`);
      }
    }
    return { targets, errors, droppedCount: group.targets.length - targets.length - errors.length };
  }
}

/** All of a job that decides what its targets become. */
function signatureOf({ job, monitor, scheme, metricsPath, params, rules, isProbe }: ScrapeJob): string {
  return JSON.stringify([
    job,
    monitor,
    scheme,
    metricsPath,
    params,
    isProbe,
    rules.map(({ rule }) => relabelRuleConfig(rule)),
  ]);
}

/** Equal targets are one. */
function poolOf({ job, monitor }: ScrapeJob, groups: readonly RelabeledGroup[]): ScrapePool {
  const targets = new Map<string, PoolTarget>();
  let droppedCount = 0;
  for (const group of groups) {
    droppedCount += group.droppedCount;
    for (const target of group.targets) targets.set(`${target.url}\n${target.labels.key}`, target);
  }
  const sorted = [...targets.values()].toSorted(
    (a, b) => compareUtf8(a.url, b.url) || compareUtf8(a.labels.key, b.labels.key),
  );
  return { job, monitor, targets: sorted, droppedCount };
}

/** Whether two pools assign the same; what was discovered and dropped is not assigned. */
function isEqual(a: ScrapePool, b: ScrapePool): boolean {
  if (a.targets.length !== b.targets.length || a.droppedCount !== b.droppedCount) return false;
  const textOf = ({ job, targets }: ScrapePool): string =>
    JSON.stringify([
      job,
      targets.map((target) => ({ ...target, labels: target.labels.key, discovered: undefined })),
    ]);
  return textOf(a) === textOf(b);
}
