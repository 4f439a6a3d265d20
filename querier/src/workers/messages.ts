// What the event loop and a worker tell each other. Everything is plain data; bytes of answers change hands without a copy.

import type { ErrorType } from '@flotilla/chassis';
import type { EngineOptions, ParserOptions } from '@flotilla/promql';
import type { Completeness, Topology } from '@flotilla/wire';
import type { AnswerHead } from '../evaluation/job-context.ts';
import type { Job } from '../evaluation/jobs.ts';
import type { StackProfile } from '../pprof/profile-encoder.ts';
import type { ProfileKind } from '../pprof/thread-profiles.ts';

/** Pieces of one answer that may be on their way; the next one waits until the client has taken one. */
export const PIECES_MAX = 4;

/** What a worker is started with. */
export interface WorkerSetup {
  readonly engine: EngineOptions;
  readonly parser: ParserOptions;
  readonly lookbackMs: number;
  readonly tokenFile: string | undefined;
  readonly storeTimeoutMs: number;
  readonly storeConnectTimeoutMs: number;
}

export type ToWorker =
  | { readonly kind: 'topology'; readonly topology: Topology }
  | { readonly kind: 'begin'; readonly id: number; readonly job: Job }
  /** The client took a piece. */
  | { readonly kind: 'taken'; readonly id: number }
  /** Nobody waits for the answer any more. */
  | { readonly kind: 'cancel'; readonly id: number; readonly isLate: boolean }
  | {
      readonly kind: 'profile';
      readonly id: number;
      readonly profile: ProfileKind;
      readonly seconds: number;
    };

/** Whether requests to a store succeeded, in order. */
export type StoreResults = readonly (readonly [store: string, good: boolean])[];

export interface Failure {
  readonly errorType: ErrorType;
  readonly message: string;
  readonly status: number;
  readonly stack: string;
}

export type FromWorker =
  | { readonly kind: 'ready' }
  /** undefined if there is none. */
  | { readonly kind: 'profile'; readonly id: number; readonly profile: StackProfile | undefined }
  | ({ readonly kind: 'head'; readonly id: number; readonly head: AnswerHead } & Heard)
  | { readonly kind: 'piece'; readonly id: number; readonly bytes: Uint8Array; readonly isLast: boolean }
  | ({ readonly kind: 'failed'; readonly id: number; readonly failure: Failure } & Heard);

export interface Heard {
  /** undefined if it has been told, or the job failed before it was known, or asked no store. */
  readonly completeness: Completeness | undefined;
  readonly storeResults: StoreResults;
}
