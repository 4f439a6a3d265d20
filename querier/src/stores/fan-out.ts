// Asks every shard that epochs and time range name, one replica first, the others only for what the first has missed.

import { QueryError } from '@flotilla/promql';
import type { ColumnArena } from '@flotilla/promql';
import { storeGroups } from '@flotilla/wire';
import type {
  ExemplarsRequest,
  ExemplarsResponse,
  LabelsRequest,
  LabelsResponse,
  SeriesRequest,
  StoreAddress,
  StoreGroup,
  Topology,
} from '@flotilla/wire';
import { CompletenessRecorder } from './completeness-recorder.ts';
import type { ReplicaChoice } from './replica-choice.ts';
import type { SeriesAnswer, StoreClient } from './store-client.ts';

export interface FanOutOptions {
  readonly topology: Topology;
  readonly client: StoreClient;
  readonly choice: ReplicaChoice;
  readonly signal: AbortSignal;
  readonly recorder: CompletenessRecorder;
  /** Where columns lie. */
  readonly arena: ColumnArena;
}

/** One query's view of the stores. A call rejects only when the signal aborts or a limit is reached; holes go to the recorder. */
export class FanOut {
  readonly #options: FanOutOptions;

  constructor(options: FanOutOptions) {
    this.#options = options;
  }

  /** Answers of all shards. With `everyReplica` each replica answers for itself, for `dedup=false`. */
  async series(
    request: SeriesRequest,
    take: (bytes: number) => void,
    everyReplica: boolean,
  ): Promise<SeriesAnswer[]> {
    const perGroup = await Promise.all(
      this.#groups(request).map((group) =>
        everyReplica
          ? this.#everyReplica(group, (store, signal) =>
              this.#options.client.series(store, request, take, signal, this.#options.arena),
            )
          : this.#oneFirst(group, request, take),
      ),
    );
    return perGroup.flat();
  }

  async labels(request: LabelsRequest): Promise<LabelsResponse[]> {
    const perGroup = await Promise.all(
      this.#groups(request).map((group) =>
        this.#ask(group, group.stores, (store, signal) =>
          this.#options.client.labels(store, request, signal),
        ),
      ),
    );
    return perGroup.flatMap((answer) => (answer === undefined ? [] : [answer]));
  }

  /** Of every replica: each has its own exemplars, and none knows what it missed. */
  async exemplars(request: ExemplarsRequest): Promise<ExemplarsResponse[]> {
    const perGroup = await Promise.all(
      this.#groups(request).map((group) =>
        this.#everyReplica(group, (store, signal) => this.#options.client.exemplars(store, request, signal)),
      ),
    );
    return perGroup.flat();
  }

  /** A GET of what stores know now, one answer per shard. */
  async now<T>(path: string): Promise<T[]> {
    return this.#askNow((store, signal) => this.#options.client.get<T>(store, path, signal));
  }

  async #askNow<T>(call: (store: StoreAddress, signal: AbortSignal) => Promise<T>): Promise<T[]> {
    const nowMs = Date.now();
    const groups = this.#groups({ minTimeMs: nowMs, maxTimeMs: nowMs });
    const perGroup = await Promise.all(groups.map((group) => this.#ask(group, group.stores, call)));
    return perGroup.flatMap((answer) => (answer === undefined ? [] : [answer]));
  }

  /** A POST of a question about now, one answer per shard. */
  async post<T>(path: string, body: unknown): Promise<T[]> {
    return this.#askNow((store, signal) => this.#options.client.post<T>(store, path, body, signal));
  }

  #groups({
    minTimeMs,
    maxTimeMs,
  }: {
    readonly minTimeMs: number;
    readonly maxTimeMs: number;
  }): StoreGroup[] {
    const groups = storeGroups(this.#options.topology, minTimeMs, maxTimeMs);
    for (const { shard } of groups) this.#options.recorder.expect(shard);
    return groups;
  }

  async #oneFirst(
    group: StoreGroup,
    request: SeriesRequest,
    take: (bytes: number) => void,
  ): Promise<SeriesAnswer[]> {
    const read = (wanted: SeriesRequest) => (store: StoreAddress, signal: AbortSignal) =>
      this.#options.client.series(store, wanted, take, signal, this.#options.arena);
    const first = await this.#ask(group, group.stores, read(request));
    if (first === undefined) return [];
    const missing = whatIsMissing(first, request);
    if (missing === undefined) return [first];
    const others = this.#notSteppingBack(group, first.store);
    if (others.length === 0) return [first];
    const second = await this.#ask(group, others, read(missing));
    return second === undefined ? [first] : [first, second];
  }

  /** The other replicas, to fill with; the recorder is told of those that are stepping back. */
  #notSteppingBack({ shard, stores }: StoreGroup, first: StoreAddress): StoreAddress[] {
    const { choice, recorder } = this.#options;
    const nowMs = Date.now();
    return stores.filter((store) => {
      if (store.name === first.name) return false;
      const error = choice.failureOf(store, nowMs);
      if (error !== '') recorder.failed(shard, store.name, error);
      return error === '';
    });
  }

  async #everyReplica<T>(
    group: StoreGroup,
    call: (store: StoreAddress, signal: AbortSignal) => Promise<T>,
  ): Promise<T[]> {
    const answers = await Promise.all(group.stores.map((store) => this.#ask(group, [store], call)));
    return answers.flatMap((answer) => (answer === undefined ? [] : [answer]));
  }

  async #ask<T>(
    group: StoreGroup,
    stores: readonly StoreAddress[],
    call: (store: StoreAddress, signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    const { choice, signal, recorder } = this.#options;
    const { answer, failures } = await choice.ask(stores, signal, rethrowLimits(call));
    for (const { store, error } of failures) recorder.failed(group.shard, store.name, error);
    if (answer === undefined) return undefined;
    if (answer.value instanceof LimitReached) throw answer.value.error;
    recorder.answered(group.shard, answer.store.name);
    return answer.value;
  }
}

/** A limit of the query is not a failure of the store: it ends the query instead of asking the next replica. */
class LimitReached {
  readonly error: QueryError;
  constructor(error: QueryError) {
    this.error = error;
  }
}

function rethrowLimits<T>(call: (store: StoreAddress, signal: AbortSignal) => Promise<T>) {
  return async (store: StoreAddress, signal: AbortSignal): Promise<T | LimitReached> => {
    try {
      return await call(store, signal);
    } catch (error) {
      if (error instanceof QueryError) return new LimitReached(error);
      throw error;
    }
  };
}

/** What another replica must be asked for: everything after a gap, else the targets with a slot that this one misses. */
function whatIsMissing({ series, trailer }: SeriesAnswer, request: SeriesRequest): SeriesRequest | undefined {
  // What is there to fill with is looked at sample by sample: a counter must not fall where replicas change.
  const whole = { ...request, latestOnly: false };
  if (trailer.gaps.length > 0) return whole;
  const targets = new Set(trailer.missedTargetIds);
  for (const { incomplete, targetId } of series) {
    if (!incomplete) continue;
    if (targetId === 0) return whole;
    targets.add(targetId);
  }
  return targets.size === 0 ? undefined : { ...whole, targetIds: [...targets].toSorted((a, b) => a - b) };
}
