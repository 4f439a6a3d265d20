// The stores as one request sees them, and what it has heard of them.

import { ApiError } from '@flotilla/chassis/thread';
import { ColumnArena } from '@flotilla/promql';
import type { Completeness, Topology } from '@flotilla/wire';
import { CompletenessRecorder, holes, lonely } from '../stores/completeness-recorder.ts';
import { FanOut } from '../stores/fan-out.ts';
import type { ReplicaChoice } from '../stores/replica-choice.ts';
import type { StoreClient } from '../stores/store-client.ts';

export interface Stores {
  readonly topology: Topology;
  readonly client: StoreClient;
  readonly choice: ReplicaChoice;
}

export interface Notes {
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}

export class StoreView {
  readonly fanOut: FanOut;
  readonly #recorder = new CompletenessRecorder();
  readonly #arena = new ColumnArena();

  constructor(stores: Stores, signal: AbortSignal) {
    this.fanOut = new FanOut({ ...stores, signal, recorder: this.#recorder, arena: this.#arena });
  }

  completeness(): Completeness {
    return this.#recorder.record();
  }

  /** The series that were read are not needed any more. */
  release(): void {
    this.#arena.release();
  }

  cut(what: string): void {
    this.#recorder.cut(what);
  }
}

/** Throws 503 that names the shards when the answer has a hole and the caller takes no partial one. */
export function notesOf(completeness: Completeness, allowPartial: boolean): Notes {
  const missing = holes(completeness);
  if (missing.length > 0 && !allowPartial) throw new ApiError('unavailable', missing.join('; '));
  return { warnings: [...missing, ...completeness.cut], infos: lonely(completeness) };
}
