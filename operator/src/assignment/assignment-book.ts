// The current assignment of every shard, and the last ones before it, so that a scraper that was away gets a diff.

import { canonicalAssignment, noSettings } from '@flotilla/wire';
import type { Assignment, AssignmentDiff, AssignmentFrame, Job, ShardSettings, Target } from '@flotilla/wire';

/** Older versions than these are answered with a snapshot. */
const versionsKept = 32;

export class AssignmentBook {
  readonly #versions = new Map<number, Assignment[]>();
  #allIds: ReadonlySet<number> = new Set();
  /** Targets that another shard has now and that a shard may have had under an earlier table. */
  #handedOff: (shard: number) => readonly number[] = () => [];

  /** False before the first update: then nothing may be served, least of all an empty assignment. */
  get isFilled(): boolean {
    return this.#versions.size > 0;
  }

  /** Takes the targets of all shards; returns the shards whose assignment changed. */
  update(
    shards: readonly number[],
    jobs: readonly Job[],
    targetsOf: (shard: number) => readonly Target[],
    handedOff: (shard: number) => readonly number[],
    settingsOf: (shard: number) => ShardSettings = () => noSettings,
  ): number[] {
    const byShard = shards.map((shard) => ({ shard, targets: targetsOf(shard) }));
    this.#allIds = new Set(byShard.flatMap(({ targets }) => targets.map(({ id }) => id)));
    this.#handedOff = handedOff;
    return byShard
      .filter(({ shard, targets }) =>
        this.#set(canonicalAssignment(shard, usedJobs(jobs, targets), targets, settingsOf(shard))),
      )
      .map(({ shard }) => shard);
  }

  current(shard: number): Assignment | undefined {
    return this.#versions.get(shard)?.at(-1);
  }

  /** What brings a scraper from `version` to the current assignment. undefined for a shard that does not exist. */
  frameFrom(shard: number, version: string): AssignmentFrame | undefined {
    const current = this.current(shard);
    if (current === undefined) return undefined;
    if (current.version === version) return { kind: 'keepalive', version };
    const known = this.#versions.get(shard)?.find((assignment) => assignment.version === version);
    if (known !== undefined) return { kind: 'diff', diff: this.#diff(known, current) };
    return { kind: 'snapshot', assignment: current, handedOff: this.#handedOff(shard) };
  }

  #set(assignment: Assignment): boolean {
    const versions = this.#versions.get(assignment.shard) ?? [];
    if (versions.at(-1)?.version === assignment.version) return false;
    const kept = versions.filter(({ version }) => version !== assignment.version).slice(1 - versionsKept);
    this.#versions.set(assignment.shard, [...kept, assignment]);
    return true;
  }

  #diff(from: Assignment, to: Assignment): AssignmentDiff {
    const oldTargets = new Map(from.targets.map((target) => [target.id, JSON.stringify(target)]));
    const newIds = new Set(to.targets.map(({ id }) => id));
    const oldJobs = new Map(from.jobs.map((job) => [job.name, JSON.stringify(job)]));
    const newJobs = new Set(to.jobs.map(({ name }) => name));
    return {
      fromVersion: from.version,
      toVersion: to.version,
      jobs: to.jobs.filter((job) => oldJobs.get(job.name) !== JSON.stringify(job)),
      removedJobs: from.jobs.filter(({ name }) => !newJobs.has(name)).map(({ name }) => name),
      targets: to.targets.filter((target) => oldTargets.get(target.id) !== JSON.stringify(target)),
      removedTargets: from.targets
        .filter(({ id }) => !newIds.has(id))
        .map(({ id }) => ({ id, reason: this.#allIds.has(id) ? 'handoff' : 'gone' })),
      settings: to.settings,
    };
  }
}

function usedJobs(jobs: readonly Job[], targets: readonly Target[]): Job[] {
  const used = new Set(targets.map(({ job }) => job));
  return jobs.filter(({ name }) => used.has(name));
}
