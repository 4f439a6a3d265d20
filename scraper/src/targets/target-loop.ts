// One target: scraped at each of its slots, one scrape at a time, and its health.
//
// A scrape that starts within the tolerance carries its slot's time exactly, so that both replicas write the same
// timestamps; a later one carries its true time.

import { errorText, type Logger } from '@flotilla/chassis';
import { Labels } from '@flotilla/model';
import type { Schedule } from '@flotilla/tsdb';
import type { Target, TargetHealth } from '@flotilla/wire';
import { BodySizeError, ScrapeError } from '../fetch/scrape-error.ts';
import { type FetchContext, type Page, TargetClient } from '../fetch/target-client.ts';
import type { BodyRules } from '../ingest/body-ingest.ts';
import type { MetadataVariant } from '../ingest/metadata-store.ts';
import { schemaOfFactor } from '../ingest/histogram-limits.ts';
import { type IngestContext, type ScrapeOutcome, TargetIngest } from '../ingest/target-ingest.ts';
import { type ExpositionFormat, expositionFormat } from '../parse/content-type.ts';
import { ParseError } from '../parse/parse-error.ts';
import type { Clock } from '../schedule/clock.ts';
import type { Scheduler } from '../schedule/scheduler.ts';
import { replicaDelayMs, scheduleOf, slotToleranceMs } from '../schedule/slots.ts';
import type { FailureLog } from './failure-log.ts';
import type { JobSettings, ScrapeBounds } from './job-settings.ts';

/** What all loops of a process share. */
export interface LoopContext {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly fetch: FetchContext;
  readonly ingest: IngestContext;
  readonly bounds: ScrapeBounds;
  readonly replica: number;
  readonly replicaOffsetMs: number;
  /** 0: the default for the interval. */
  readonly toleranceMs: number;
  readonly log: Logger;
  readonly hasExtraMetrics?: boolean;
  readonly failureLog?: FailureLog | undefined;
  /** After each first scrape of a target. */
  readonly onFirstScrape: () => void;
  /** Time between the starts of two scrapes of a target. */
  readonly onInterval: (intervalMs: number, actualMs: number) => void;
}

/** A scrape that takes all of its interval would still run at the next slot, and cost that one, too. */
function timeoutBeforeNextSlot({ timeoutMs, intervalMs }: Target): number {
  return Math.min(timeoutMs, Math.floor(0.98 * intervalMs));
}

export class TargetLoop {
  readonly target: Target;
  readonly settings: JobSettings;
  readonly labels: Labels;
  /** '' or why every scrape of the job fails, such as target_limit. */
  jobError = '';

  readonly #context: LoopContext;
  readonly #schedule: Schedule;
  readonly #delayMs: number;
  readonly #toleranceMs: number;
  readonly #client: TargetClient;
  readonly #ingest: TargetIngest;
  #leave: () => void;
  #running: Promise<void> | undefined;
  #ended = false;
  #lastStartMs = 0;
  #lastScrapeMs = 0;
  #scrapes = 0;
  #outcome: ScrapeOutcome | undefined;
  #loggedError = '';
  /** What the last content type meant: it hardly ever changes. */
  #known: { readonly contentType: string; readonly format: ExpositionFormat } | undefined;

  /** Begins with the next slot. `waiting`: series that an older loop of the same target left. */
  constructor(context: LoopContext, target: Target, settings: JobSettings, waiting?: Uint32Array) {
    const { job } = settings;
    this.#context = context;
    this.target = target;
    this.settings = settings;
    this.labels = Labels.fromPairs(target.labels);
    this.#schedule = scheduleOf(target.id, target.intervalMs);
    this.#delayMs = replicaDelayMs(context.replica, context.replicaOffsetMs, target.intervalMs);
    this.#toleranceMs = slotToleranceMs(target.intervalMs, context.toleranceMs);
    this.#client = new TargetClient(context.fetch, target, job);
    this.#ingest = new TargetIngest(context.ingest, this.#bodyRules(), waiting);
    this.#leave = context.scheduler.add({
      schedule: this.#schedule,
      delayMs: this.#delayMs,
      onSlot: (slotMs, nowMs) => this.#onSlot(slotMs, nowMs),
    });
  }

  get health(): TargetHealth {
    const outcome = this.#outcome;
    return {
      id: this.target.id,
      lastScrapeMs: this.#lastScrapeMs,
      scrapes: this.#scrapes,
      up: outcome?.up ?? false,
      lastDurationMs: outcome?.durationMs ?? 0,
      samples: outcome?.kept ?? 0,
      error: outcome?.error ?? '',
    };
  }

  /** What the target says of a metric; of all for ''. */
  metadata(metric: string): readonly MetadataVariant[] {
    return this.#ingest.metadata(metric);
  }

  /** Ends without a trace in the data: shutdown, hand-off. Resolves when a running scrape has ended. */
  async stop(): Promise<void> {
    await this.stopForSuccessor();
  }

  /** Ends, and leaves what it had to the loop that takes its place. Calls off endAtNextSlot(). */
  async stopForSuccessor(): Promise<Uint32Array> {
    await this.#stopScraping();
    return this.#ingest.release();
  }

  /** The target is gone: at the next slot its series get stale markers, then `onEnded` is called. */
  endAtNextSlot(onEnded: () => void): void {
    const stopped = this.#stopScraping();
    this.#leave = this.#context.scheduler.add({
      schedule: this.#schedule,
      delayMs: this.#delayMs,
      onSlot: (slotMs) => {
        this.#leave();
        void stopped.then(() => this.#commitEnd(slotMs)).then(onEnded);
      },
    });
  }

  async #stopScraping(): Promise<void> {
    this.#leave();
    this.#ended = true;
    this.#client.close();
    await this.#running;
  }

  #commitEnd(slotMs: number): void {
    try {
      this.#ingest.commitEnd(slotMs);
    } catch (err) {
      this.#appendFailed(err);
    }
    this.#ingest.release();
  }

  #bodyRules(): BodyRules {
    const { job, relabelings, samplesMax } = this.settings;
    const histograms = this.target.histograms ?? job;
    return {
      scrapeNativeHistograms: histograms.scrapeNativeHistograms,
      alwaysScrapeClassicHistograms: histograms.alwaysScrapeClassicHistograms,
      convertClassicHistogramsToNhcb: histograms.convertClassicHistogramsToNhcb,
      histogramBuckets: job.limits.histogramBuckets,
      histogramSchemaMax: schemaOfFactor(job.nativeHistogramMinBucketFactor),
      hasLegacyNames: job.nameValidationScheme === 'legacy',
      target: this.labels,
      honorLabels: job.honorLabels,
      relabelings,
      limits: job.limits,
      schedule: this.#schedule,
      honorTimestamps: job.honorTimestamps,
      trackTimestampsStaleness: job.trackTimestampsStaleness,
      samplesMax,
      seriesLimits: job.limits,
      extraReport:
        this.#context.hasExtraMetrics === true
          ? { timeoutSeconds: this.target.timeoutMs / 1000, sampleLimit: job.limits.samples }
          : undefined,
      lineBytesMax: this.#context.bounds.lineBytesMax,
      linesMax: this.#context.bounds.samplesMax,
    };
  }

  #onSlot(slotMs: number, nowMs: number): void {
    const { counters } = this.#context.ingest;
    if (this.#running !== undefined) {
      counters.skippedBusy++;
      return;
    }
    const isOnTime = nowMs - slotMs <= this.#toleranceMs;
    if (!isOnTime) counters.late++;
    if (this.#lastStartMs > 0) this.#context.onInterval(this.target.intervalMs, nowMs - this.#lastStartMs);
    this.#lastStartMs = nowMs;
    this.#running = this.#scrape(isOnTime ? slotMs : nowMs).finally(() => {
      this.#running = undefined;
    });
  }

  /** Never rejects. */
  async #scrape(timeMs: number): Promise<void> {
    const startMs = performance.now();
    const time = { timeMs, durationMs: () => performance.now() - startMs };
    const isFirst = this.#outcome === undefined;
    try {
      const outcome = await this.#fetchAndCommit(time);
      if (outcome === undefined) return;
      this.#outcome = outcome;
      this.#lastScrapeMs = this.#lastStartMs;
      if (outcome.up) this.#scrapes++;
      this.#logChange(outcome.error);
    } catch (err) {
      this.#appendFailed(err);
    }
    if (isFirst) this.#context.onFirstScrape();
  }

  /** undefined: the loop ended meanwhile, and what became of the scrape must leave no trace. */
  async #fetchAndCommit(time: {
    timeMs: number;
    durationMs: () => number;
  }): Promise<ScrapeOutcome | undefined> {
    try {
      if (this.jobError !== '') throw new ScrapeError(this.jobError);
      const page = await this.#client.fetch(timeoutBeforeNextSlot(this.target));
      try {
        if (this.#ended) return undefined;
        const format = this.#formatOf(page);
        return this.#ingest.commitPage({ body: page.body, format }, time);
      } finally {
        page.release();
      }
    } catch (err) {
      if (this.#ended) return undefined;
      if (err instanceof BodySizeError) this.#context.ingest.counters.exceededBodySizeLimit++;
      if (!(err instanceof ScrapeError) && !(err instanceof ParseError)) throw err;
      return this.#ingest.commitFailure(err.message, time, {
        bodyBytes: err instanceof BodySizeError ? -1 : 0,
      });
    }
  }

  /** An empty body may have any content type. */
  #formatOf({ body, contentType }: Page): ExpositionFormat {
    if (body.length === 0) return 'text';
    if (this.#known?.contentType !== contentType) {
      const format = expositionFormat(contentType, this.settings.job.fallbackScrapeProtocol);
      this.#known = { contentType, format };
    }
    return this.#known.format;
  }

  /** The store took nothing of this scrape: no disk, or a fault of ours. */
  #appendFailed(err: unknown): void {
    this.#context.ingest.counters.appendFailures++;
    const error = `append: ${errorText(err)}`;
    this.#lastScrapeMs = this.#lastStartMs;
    this.#outcome = { up: false, durationMs: 0, scraped: 0, kept: 0, added: 0, bodyBytes: 0, error };
    this.#logChange(error);
  }

  /** One line when a target begins to fail, fails otherwise, or recovers. */
  #logChange(error: string): void {
    const { failureLog } = this.#context;
    if (error !== '') failureLog?.add(this.target.job, this.target.url, error);
    if (error === this.#loggedError) return;
    this.#loggedError = error;
    const fields = { job: this.target.job, target: this.labels.get('instance') };
    if (error === '') this.#context.log.info('Scrape succeeds again', fields);
    else this.#context.log.warn('Scrape failed', { ...fields, reason: error });
  }
}
