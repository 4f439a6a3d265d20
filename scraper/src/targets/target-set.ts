// The targets of this shard: a loop for each, kept in step with the assignment.
//
// A target that stays keeps its loop, its connection and its caches, whatever else changes. One whose settings change
// gets a new loop that goes on with what the old one had. One that is gone ends with stale markers, unless another
// shard has it now.

import type { Matcher } from '@flotilla/model';
import type {
  Assignment,
  HeartbeatWriter,
  Job,
  RemovalReason,
  Target,
  TargetHealth,
  TargetMetadata,
  TargetMetadataResponse,
  TargetStatus,
} from '@flotilla/wire';
import type { MetadataVariant } from '../ingest/metadata-store.ts';
import { HealthRows } from './health-rows.ts';
import { JobSettings } from './job-settings.ts';
import { type LoopContext, TargetLoop } from './target-loop.ts';

/** Entries of one answer about metadata. */
const metadataMax = 100_000;

export class TargetSet {
  readonly #context: LoopContext;
  readonly #loops = new Map<number, TargetLoop>();
  readonly #jobs = new Map<string, JobSettings>();
  /** Removed, and waiting for their last slot. */
  readonly #ending = new Map<number, TargetLoop>();

  readonly #health = new HealthRows();

  constructor(context: Omit<LoopContext, 'health'>) {
    this.#context = { ...context, health: this.#health };
  }

  get size(): number {
    return this.#loops.size;
  }

  /** Makes the loops match. `reasons` has an entry for each target that another shard has now. */
  async apply(assignment: Assignment, reasons: ReadonlyMap<number, RemovalReason>): Promise<void> {
    this.#compileJobs(assignment.jobs);
    const wanted = new Map(assignment.targets.map((target) => [target.id, target]));
    for (const [id, loop] of this.#loops) {
      if (!wanted.has(id)) this.#remove(id, loop, reasons.get(id) ?? 'gone');
    }
    await Promise.all([...wanted.values()].map((target) => this.#keep(target)));
    this.#limitTargets(assignment);
  }

  /** Ends all scraping, without markers. */
  async stop(): Promise<void> {
    const loops = [...this.#loops.values(), ...this.#ending.values()];
    await Promise.all(loops.map((loop) => loop.stop()));
  }

  health(): TargetHealth[] {
    return this.#health.all();
  }

  /** Of health(), all. */
  writeHealth(writer: Pick<HeartbeatWriter, 'target'>): void {
    this.#health.writeTo(writer);
  }

  statuses(shard: number, replica: number): TargetStatus[] {
    return [...this.#loops.values()].map((loop) => statusOf(loop, shard, replica));
  }

  /** What targets say of a metric, or of all; no more targets from `limit` entries on, unless it is 0. */
  metadata(metric: string, matchers: readonly Matcher[], limit: number): TargetMetadataResponse {
    const targets: TargetMetadata[] = [];
    let entries = 0;
    for (const loop of this.#loops.values()) {
      if (limit > 0 && entries >= limit) break;
      if (!matchers.every((matcher) => matcher.matches(loop.labels.get(matcher.name)))) continue;
      const metadata = loop.metadata(metric).map(published);
      entries += metadata.length;
      if (entries > metadataMax) return { targets, isCut: true };
      if (metadata.length > 0) targets.push({ target: loop.labels.toRecord(), metadata });
    }
    return { targets, isCut: false };
  }

  /** Its labels, for people. */
  nameOf(id: number): string {
    const loop = this.#loops.get(id) ?? this.#ending.get(id);
    return loop === undefined ? `target ${id}, which is gone` : `${loop.labels}`;
  }

  /** Targets by job. */
  countByJob(): Map<string, number> {
    const counts = new Map([...this.#jobs.keys()].map((job) => [job, 0]));
    for (const { target } of this.#loops.values()) counts.set(target.job, (counts.get(target.job) ?? 0) + 1);
    return counts;
  }

  #compileJobs(jobs: readonly Job[]): void {
    const names = new Set(jobs.map(({ name }) => name));
    for (const name of this.#jobs.keys()) if (!names.has(name)) this.#jobs.delete(name);
    for (const job of jobs) {
      const settings = new JobSettings(job, this.#context.bounds);
      if (this.#jobs.get(job.name)?.fingerprint !== settings.fingerprint) this.#jobs.set(job.name, settings);
    }
  }

  #remove(id: number, loop: TargetLoop, reason: RemovalReason): void {
    this.#loops.delete(id);
    loop.unlist();
    if (reason === 'handoff') {
      void loop.stop();
      return;
    }
    this.#ending.set(id, loop);
    loop.endAtNextSlot(() => {
      if (this.#ending.get(id) === loop) this.#ending.delete(id);
    });
  }

  async #keep(target: Target): Promise<void> {
    const settings = this.#jobs.get(target.job);
    const loop = this.#loops.get(target.id);
    if (settings === undefined || (loop !== undefined && isSame(loop, target, settings))) return;
    const before = loop ?? this.#ending.get(target.id);
    const waiting = await before?.stopForSuccessor();
    before?.unlist();
    this.#ending.delete(target.id);
    this.#loops.set(target.id, new TargetLoop(this.#context, target, settings, waiting));
  }

  /** target_limit: beyond it no target of the job is scraped, and each says so. */
  #limitTargets({ jobs }: Assignment): void {
    const counts = this.countByJob();
    const errors = new Map(jobs.map((job) => [job.name, targetLimitError(job, counts.get(job.name) ?? 0)]));
    for (const error of errors.values())
      if (error !== '') this.#context.ingest.counters.exceededTargetLimit++;
    for (const loop of this.#loops.values()) {
      loop.jobError = loop.settings.error || (errors.get(loop.target.job) ?? '');
    }
  }
}

function published({ metric, type, help, unit }: MetadataVariant): TargetMetadata['metadata'][number] {
  return { metric, type, help, unit };
}

function targetLimitError({ limits }: Job, count: number): string {
  if (limits.targets === 0 || count <= limits.targets) return '';
  return `target_limit exceeded (number of targets: ${count}, limit: ${limits.targets})`;
}

/** The id stands for job, url and labels. */
function isSame(loop: TargetLoop, wanted: Target, settings: JobSettings): boolean {
  const textOf = ({ intervalMs, timeoutMs, unixSocket, histograms }: Target): string =>
    JSON.stringify([intervalMs, timeoutMs, unixSocket, histograms]);
  return loop.settings === settings && textOf(loop.target) === textOf(wanted);
}

function statusOf(loop: TargetLoop, shard: number, replica: number): TargetStatus {
  const { target, health } = loop;
  return {
    id: target.id,
    job: target.job,
    url: target.url,
    labels: loop.labels.toRecord(),
    shard,
    replica,
    slot: target.slot,
    health: health.lastScrapeMs === 0 ? 'unknown' : health.up ? 'up' : 'down',
    lastError: health.error,
    lastScrapeMs: health.lastScrapeMs,
    lastScrapeDurationMs: health.lastDurationMs,
    intervalMs: target.intervalMs,
    timeoutMs: target.timeoutMs,
    samples: health.samples,
  };
}
