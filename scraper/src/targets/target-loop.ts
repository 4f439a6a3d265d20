// One target: scraped at each of its slots, one scrape at a time, and its health.
//
// A scrape that starts within the tolerance carries its slot's time exactly, so that both replicas write the same
// timestamps; a later one carries its true time.

import { errorText, type Logger } from '@flotilla/chassis';
import { Labels } from '@flotilla/model';
import type { Schedule } from '@flotilla/tsdb';
import type { Target, TargetHealth } from '@flotilla/wire';
import { BodySizeError, ScrapeError } from '../fetch/scrape-error.ts';
import { type FetchContext, type Page, type PageSink, TargetClient } from '../fetch/target-client.ts';
import type { BodyRules } from '../ingest/body-ingest.ts';
import type { MetadataVariant } from '../ingest/metadata-store.ts';
import { schemaOfFactor } from '../ingest/histogram-limits.ts';
import {
  type IngestContext,
  type ScrapeOutcome,
  type ScrapeTime,
  TargetIngest,
} from '../ingest/target-ingest.ts';
import { type ExpositionFormat, expositionFormat } from '../parse/content-type.ts';
import { ParseError } from '../parse/parse-error.ts';
import type { Clock } from '../schedule/clock.ts';
import type { Scheduler } from '../schedule/scheduler.ts';
import { replicaDelayMs, scheduleOf, slotToleranceMs } from '../schedule/slots.ts';
import type { FailureLog } from './failure-log.ts';
import type { HealthRows } from './health-rows.ts';
import type { JobSettings, ScrapeBounds } from './job-settings.ts';

/** What all loops of a process share. */
export interface LoopContext {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly fetch: FetchContext;
  readonly ingest: IngestContext;
  readonly health: HealthRows;
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

export class TargetLoop implements PageSink {
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
  /** Of the scrape that runs. */
  #time: ScrapeTime | undefined;
  /** What waits for it to end. */
  readonly #waiting: (() => void)[] = [];
  #ended = false;
  #lastStartMs = 0;
  /** Of its health. */
  readonly #row: number;
  #isListed = true;
  #isFirst = true;
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
    this.#row = context.health.take(target.id);
    this.#client = new TargetClient(context.fetch, target, job);
    this.#ingest = new TargetIngest(context.ingest, this.#bodyRules(), waiting);
    this.#leave = context.scheduler.add({
      schedule: this.#schedule,
      delayMs: this.#delayMs,
      onSlot: (slotMs, nowMs) => this.#onSlot(slotMs, nowMs),
    });
  }

  /** Until unlist(). */
  get health(): TargetHealth {
    return this.#context.health.read(this.#row);
  }

  /** Takes its health out of what is told of all. */
  unlist(): void {
    if (this.#isListed) this.#context.health.release(this.#row);
    this.#isListed = false;
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
    if (this.#time === undefined) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
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
    if (this.#time !== undefined) {
      counters.skippedBusy++;
      return;
    }
    const isOnTime = nowMs - slotMs <= this.#toleranceMs;
    if (!isOnTime) counters.late++;
    if (this.#lastStartMs > 0) this.#context.onInterval(this.target.intervalMs, nowMs - this.#lastStartMs);
    this.#lastStartMs = nowMs;
    this.#time = new RunningTime(isOnTime ? slotMs : nowMs);
    if (this.jobError === '') this.#client.fetch(timeoutBeforeNextSlot(this.target), this);
    else this.onFailure(new ScrapeError(this.jobError));
  }

  /** For the client. */
  onPage(page: Page): void {
    try {
      if (!this.#ended) {
        const format = this.#formatOf(page);
        this.#conclude(this.#ingest.commitPage({ body: page.body, format }, this.#time!));
      }
    } catch (err) {
      this.#commitFailure(err);
    }
    this.#release();
  }

  /** For the client. */
  onFailure(err: unknown): void {
    this.#commitFailure(err);
    this.#release();
  }

  /** If the loop has ended meanwhile, what became of the scrape must leave no trace. */
  #commitFailure(err: unknown): void {
    if (this.#ended) return;
    try {
      const isTooLarge = err instanceof BodySizeError;
      if (isTooLarge) this.#context.ingest.counters.exceededBodySizeLimit++;
      if (!(err instanceof ScrapeError) && !(err instanceof ParseError)) throw err;
      const counts = { bodyBytes: isTooLarge ? -1 : 0 };
      this.#conclude(this.#ingest.commitFailure(err.message, this.#time!, counts));
    } catch (failure) {
      this.#appendFailed(failure);
    }
  }

  #conclude({ up, durationMs, kept, error }: ScrapeOutcome): void {
    if (this.#isListed) {
      const lastScrapeMs = this.#lastStartMs;
      this.#context.health.note(this.#row, {
        lastScrapeMs,
        up,
        lastDurationMs: durationMs,
        samples: kept,
        error,
      });
    }
    this.#logChange(error);
    if (this.#isFirst) this.#context.onFirstScrape();
    this.#isFirst = false;
  }

  #release(): void {
    this.#time = undefined;
    if (this.#waiting.length > 0) for (const resolve of this.#waiting.splice(0)) resolve();
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
    this.#conclude({ up: false, durationMs: 0, scraped: 0, kept: 0, added: 0, bodyBytes: 0, error });
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

class RunningTime implements ScrapeTime {
  readonly timeMs: number;
  readonly #startMs = performance.now();

  constructor(timeMs: number) {
    this.timeMs = timeMs;
  }

  durationMs(): number {
    return performance.now() - this.#startMs;
  }
}
