// Sends what the shard's WAL says to one destination, in windows: a window is read, cut into requests, sent by some shards
// at once, and acknowledged as a whole. Its bounds are on disk before the first request goes, so that a restart makes the
// same requests again: none is lost, and a receiver that has one already takes or refuses it whole.

import { setImmediate } from 'node:timers/promises';
import { errorText, type Logger, pause } from '@flotilla/chassis';
import { parseRelabelRule } from '@flotilla/model';
import { isBefore, TailBatch, type Tsdb, type WalPosition, type WalTail } from '@flotilla/tsdb';
import { createRemoteWriteEncoder, type MetadataResponse, type RemoteWrite } from '@flotilla/wire';
import type { Credentials } from '../fetch/credentials.ts';
import { Delivery } from './deliver.ts';
import { encodeRequest, type MetadataOf } from './encode-request.ts';
import { sendMetadata } from './metadata-sender.ts';
import { halves, planWindow, type WindowPlan, type WriteRequest } from './plan-window.ts';
import { PositionFile, type SendState } from './position-file.ts';
import { addCounts, type DropReason, noCounts, SendStats } from './send-stats.ts';
import { SeriesCache } from './series-cache.ts';
import { WriteClient } from './write-client.ts';

export interface RemoteWriterOptions {
  readonly config: RemoteWrite;
  readonly replica: number;
  readonly tsdb: Tsdb;
  readonly credentials: Credentials;
  readonly positionPath: string;
  /** The WAL may grow to this while the destination is away. */
  readonly holdBytesMax: number;
  readonly metadataOf: MetadataOf;
  readonly allMetadata: () => MetadataResponse['metadata'];
  readonly log: Logger;
  readonly observe: (durationMs: number) => void;
}

const POLL_MS = 200;
/** Samples of a window, whatever the configuration says: they are in memory. */
const WINDOW_SAMPLES_MAX = 200_000;
const RETRY_MS = 5000;
/** Of one request. Samples that are refused lie together: series of one target have neighbouring refs. */
const SPLITS_MAX = 32;
/** How long a stop waits for requests that are under way. */
const GRACE_MS = 1000;

export class RemoteWriter {
  readonly config: RemoteWrite;
  readonly stats = new SendStats();
  readonly #options: RemoteWriterOptions;
  readonly #ending = new AbortController();
  readonly #stopping = new AbortController();
  readonly #client: WriteClient;
  readonly #delivery: Delivery;
  readonly #cache: SeriesCache;
  readonly #batch = new TailBatch();
  readonly #encoder;
  #tail: WalTail | undefined;
  #file: PositionFile | undefined;
  #sentMs = 0;
  #running: Promise<void> | undefined;

  /** Throws for a URL or a rule that is none. */
  constructor(options: RemoteWriterOptions) {
    const { config, replica, credentials, log, observe } = options;
    this.#options = options;
    this.config = config;
    this.#client = new WriteClient(config, credentials);
    this.#encoder = createRemoteWriteEncoder(config.messageVersion);
    const own = config.replicaLabel === '' ? [] : [[config.replicaLabel, `${replica}`] as const];
    this.#cache = new SeriesCache({
      version: config.messageVersion,
      externalLabels: [...config.externalLabels, ...own],
      rules: config.relabelings.map((rule) => parseRelabelRule(rule)),
    });
    const { signal } = this.#ending;
    this.#delivery = new Delivery({ config, client: this.#client, stats: this.stats, log, signal, observe });
  }

  /** What is written to the WAL from now on is sent, and what an earlier run left. */
  async start(): Promise<void> {
    const { tsdb, positionPath, holdBytesMax } = this.#options;
    const file = await PositionFile.open(positionPath);
    const tail = tsdb.tail(file.state?.from, { holdBytesMax });
    this.#file = file;
    this.#tail = tail;
    this.#sentMs = file.state?.sentMs ?? 0;
    if (file.state === undefined) await file.write(this.#stateAt(tail.position), true);
    this.#running = Promise.all([this.#run(tail, file), this.#sendMetadata()]).then(() => undefined);
  }

  async #sendMetadata(): Promise<void> {
    const { config, stats } = this;
    if (!config.sendMetadata || config.messageVersion !== '1.0') return;
    const options = { config, stats, delivery: this.#delivery, all: this.#options.allMetadata };
    await sendMetadata(options, this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const ended = this.#running ?? Promise.resolve();
    const grace = new AbortController();
    await Promise.race([ended, pause(GRACE_MS, grace.signal)]);
    grace.abort();
    this.#ending.abort();
    await ended;
    this.#client.close();
    this.#tail?.close();
    await this.#file?.close();
  }

  /** Samples that the WAL had no room for any more. */
  get lostSamples(): number {
    return this.#tail?.lostSamples ?? 0;
  }

  /** Times that the WAL did not have what was to be sent next. */
  get gaps(): number {
    return this.#tail?.gaps ?? 0;
  }

  #stateAt(position: WalPosition): SendState {
    return { from: position, to: position, shards: 1, samplesPerSend: 1, sentMs: this.#sentMs };
  }

  async #run(tail: WalTail, file: PositionFile): Promise<void> {
    const { signal } = this.#stopping;
    let resume = file.state!;
    while (!signal.aborted) {
      try {
        const done = await this.#step(tail, file, resume);
        if (done !== undefined) resume = done;
      } catch (err) {
        // The disk: nothing more is acknowledged, and the window is read again.
        this.#options.log.error('Remote write failed', { reason: errorText(err) });
        resume = file.state!;
        tail.seek(resume.from);
        await pause(RETRY_MS, signal);
      }
    }
  }

  /** One window; returns where the next one begins, undefined if it must be sent again. */
  async #step(tail: WalTail, file: PositionFile, state: SendState): Promise<SendState | undefined> {
    const isResumed = isBefore(state.from, state.to);
    const from = tail.position;
    this.#batch.clear();
    if (isResumed) await this.#readTo(tail, state.to);
    else await this.#readSome(tail);
    if (this.#batch.size === 0) {
      tail.release(tail.position, this.#sentMs);
      return this.#stateAt(tail.position);
    }
    const window = isResumed
      ? state
      : { ...this.#newWindow(), from, to: tail.position, sentMs: this.#sentMs };
    await file.write(window, true);
    await this.#sendWindow(tail, window);
    if (this.#ending.signal.aborted) return undefined;
    const next = this.#stateAt(tail.position);
    await file.write(next, false);
    tail.release(tail.position, this.#sentMs);
    return next;
  }

  #newWindow(): { shards: number; samplesPerSend: number } {
    const { minShards, maxShards, samplesPerSendMax } = this.config.queue;
    const wanted = Math.ceil(this.#batch.size / samplesPerSendMax);
    this.stats.shardsDesired = wanted;
    return { shards: Math.max(minShards, Math.min(maxShards, wanted)), samplesPerSend: samplesPerSendMax };
  }

  async #readTo(tail: WalTail, to: WalPosition): Promise<void> {
    while (tail.read(this.#batch, Infinity, to)) await setImmediate();
  }

  /** Waits until a request is full or its deadline has come, and takes what is there by then. */
  async #readSome(tail: WalTail): Promise<void> {
    const { maxShards, minShards, samplesPerSendMax, capacity, batchSendDeadlineMs } = this.config.queue;
    const most = Math.min(WINDOW_SAMPLES_MAX, maxShards * Math.max(samplesPerSendMax, capacity));
    const enough = Math.min(most, minShards * samplesPerSendMax);
    const { signal } = this.#stopping;
    let deadlineMs = Infinity;
    while (!signal.aborted) {
      while (tail.read(this.#batch, most)) await setImmediate();
      if (this.#batch.size >= enough) return;
      const nowMs = performance.now();
      if (this.#batch.size > 0 && deadlineMs === Infinity) deadlineMs = nowMs + batchSendDeadlineMs;
      if (nowMs >= deadlineMs || (this.#batch.size === 0 && !tail.isAtEnd)) return;
      await pause(Math.min(POLL_MS, Math.max(1, deadlineMs - nowMs)), signal);
    }
  }

  async #sendWindow(tail: WalTail, window: SendState): Promise<void> {
    const { config, stats } = this;
    const { sampleAgeLimitMs } = config.queue;
    this.#cache.age(Date.now());
    await this.#knowSeries(tail);
    const plan = planWindow(this.#batch, this.#cache.peek, {
      shards: window.shards,
      samplesPerSend: window.samplesPerSend,
      minTimeMs: sampleAgeLimitMs === 0 ? -Infinity : Date.now() - sampleAgeLimitMs,
      sendHistograms: config.sendNativeHistograms,
      sendExemplars: config.sendExemplars,
    });
    this.#countPlan(plan, window.shards);
    await Promise.all(plan.shards.map((requests) => this.#sendInOrder(requests)));
    if (this.#ending.signal.aborted) return;
    stats.pending = noCounts();
    this.#sentMs = Math.max(this.#sentMs, stats.highestReadMs);
    stats.highestSentMs = this.#sentMs;
  }

  /** Looks up what the cache does not have: in the head, then in the log. */
  async #knowSeries(tail: WalTail): Promise<void> {
    const missing = new Set<number>();
    for (const ref of this.#batch.seriesRefs()) if (!this.#know(tail, ref)) missing.add(ref);
    if (missing.size === 0) return;
    await tail.findSeries(missing);
    for (const ref of missing) this.#know(tail, ref);
  }

  #know(tail: WalTail, ref: number): boolean {
    if (this.#cache.get(ref) !== undefined) return true;
    const labels = tail.labels(ref);
    if (labels === undefined) return false;
    this.#cache.add(ref, labels);
    return true;
  }

  #countPlan({ shards, dropped }: WindowPlan, count: number): void {
    const { stats } = this;
    stats.shards = count;
    stats.samplesIn += this.#batch.size;
    for (const [reason, samples] of Object.entries(dropped)) stats.dropped[reason as DropReason] += samples;
    for (const { counts } of shards.flat()) addCounts(stats.pending, counts);
    const { timesMs, samples, histograms } = this.#batch;
    for (let i = 0; i < samples; i++) stats.highestReadMs = Math.max(stats.highestReadMs, timesMs[i]!);
    for (const { timeMs } of histograms) stats.highestReadMs = Math.max(stats.highestReadMs, timeMs);
  }

  async #sendInOrder(requests: readonly WriteRequest[]): Promise<void> {
    for (const request of requests) {
      await this.#sendRequest(request, { left: this.config.messageVersion === '1.0' ? SPLITS_MAX : 0 });
      const { samples, histograms, exemplars } = request.counts;
      addCounts(this.stats.pending, { samples: -samples, histograms: -histograms, exemplars: -exemplars });
    }
  }

  /** A receiver of 1.0 may refuse all of a request for one sample: what is refused is sent again in halves, some times. */
  async #sendRequest(request: WriteRequest, splits: { left: number }): Promise<void> {
    if (this.#ending.signal.aborted) return;
    const metadataOf = this.config.sendMetadata ? this.#options.metadataOf : () => undefined;
    const body = encodeRequest(this.#encoder, this.#batch, request, this.#cache.peek, metadataOf);
    const parts = splits.left > 0 ? halves(this.#batch, request) : undefined;
    if (!(await this.#delivery.send(body, request.counts, parts !== undefined))) return;
    splits.left--;
    for (const part of parts!) await this.#sendRequest(part, splits);
  }
}
