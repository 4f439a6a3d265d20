// What a job has while it runs: the stores, the engine, its caller's patience, and where its answer goes.

import type { Engine, ParserOptions, QueryStats } from '@flotilla/promql';
import type { Notes, StoreView } from './store-view.ts';

export interface AnswerHead {
  readonly headers: Readonly<Record<string, string>>;
  readonly stats?: QueryStats;
}

/** The head goes first, then pieces, then the last one. Whoever writes waits for each: a client that reads slowly makes it wait. */
export interface AnswerSink {
  begin(head: AnswerHead): void;
  /** Rejects with the signal's reason once the client has gone. The bytes are given away. */
  write(bytes: Uint8Array): Promise<void>;
  end(bytes: Uint8Array): void;
}

export interface JobContext {
  readonly view: StoreView;
  readonly engine: Engine;
  readonly parser: ParserOptions;
  readonly lookbackMs: number;
  readonly signal: AbortSignal;
  readonly sink: AnswerSink;
  /** To be called once all shards were asked. Throws when the answer must not be partial. */
  notes(): Notes;
}
