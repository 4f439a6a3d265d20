// What a compaction thread is told when it starts, and what it says at its end. Plain data: errors do not keep their class between threads.

import { CorruptionError } from '@flotilla/model';

export interface CompactionJob {
  /** Where the new block goes. */
  readonly dir: string;
  /** Its name. */
  readonly ulid: string;
  /** Folders of the blocks that become one, ascending in time. */
  readonly blocks: readonly string[];
}

interface Damage {
  readonly path: string;
  readonly offsetBytes: number;
  readonly detail: string;
}

export interface CompactionReport {
  /** Of the new block; undefined if nothing was left of the samples, or it failed. */
  readonly path?: string;
  /** Of parts without which a block can be compacted. */
  readonly damages: readonly Damage[];
  readonly failure?: {
    readonly damage?: Damage;
    readonly message: string;
    readonly code?: string;
    readonly stack?: string;
  };
}

export function damageOf({ path, offsetBytes, message }: CorruptionError): Damage {
  return { path, offsetBytes, detail: message.slice(`${path}: offset ${offsetBytes}: `.length) };
}

export function corruptionOf({ path, offsetBytes, detail }: Damage): CorruptionError {
  return new CorruptionError(path, offsetBytes, detail);
}

export function failureOf(error: unknown): NonNullable<CompactionReport['failure']> {
  if (!(error instanceof Error)) return { message: String(error) };
  const { message, stack, code } = error as NodeJS.ErrnoException;
  return {
    message,
    ...(stack !== undefined && { stack }),
    ...(code !== undefined && { code }),
    ...(error instanceof CorruptionError && { damage: damageOf(error) }),
  };
}

/** The error again, of the kind that it was. */
export function errorOf({ damage, message, code, stack }: NonNullable<CompactionReport['failure']>): Error {
  if (damage !== undefined) return corruptionOf(damage);
  const error = new Error(message);
  return Object.assign(error, code !== undefined && { code }, stack !== undefined && { stack });
}
