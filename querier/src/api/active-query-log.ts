// The queries that run now, in a file that outlives the process: after a crash it tells what ran.
//
// One slot of fixed size for each place of the gate, written in place, so that a write costs microseconds and the file stays small.

import type { Logger } from '@flotilla/chassis';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

export interface ActiveQuery {
  readonly query: string;
  readonly timestampSec: number;
}

const slotBytes = 1024;
const emptySlot = Buffer.alloc(slotBytes, `${' '.repeat(slotBytes - 1)}\n`);

export class ActiveQueryLog {
  readonly #fd: number;
  readonly #free: number[];

  /** Tells of the queries that the last run did not finish. Throws when the file cannot be written. */
  constructor(file: string, slots: number, log: Logger) {
    const left = readActiveQueries(file);
    if (left.length > 0)
      log.warn('queries did not finish in the last run', { queries: JSON.stringify(left) });
    this.#fd = openSync(file, 'w');
    this.#free = Array.from({ length: slots }, (_, i) => slots - 1 - i);
  }

  /** Returns what is to be called when the query has ended. */
  begin(query: string): () => void {
    const slot = this.#free.pop();
    if (slot === undefined) return () => undefined;
    this.#write(slot, slotOf({ query, timestampSec: Math.floor(Date.now() / 1000) }));
    return () => {
      this.#write(slot, emptySlot);
      this.#free.push(slot);
    };
  }

  close(): void {
    closeSync(this.#fd);
  }

  #write(slot: number, bytes: Buffer): void {
    writeSync(this.#fd, bytes, 0, slotBytes, slot * slotBytes);
  }
}

/** A line, padded with spaces; a query that is too long is cut. */
function slotOf(active: ActiveQuery): Buffer {
  let query = active.query.slice(0, slotBytes);
  let text = JSON.stringify({ ...active, query });
  while (Buffer.byteLength(text) >= slotBytes) {
    query = query.slice(0, Math.floor(query.length * 0.9));
    text = JSON.stringify({ ...active, query });
  }
  const bytes = Buffer.from(emptySlot);
  bytes.write(text);
  return bytes;
}

/** Empty if there is no such file, or nothing in it. A slot that was cut off is left out. */
export function readActiveQueries(file: string): ActiveQuery[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line.replaceAll('\0', '').trim()) as ActiveQuery];
    } catch {
      return [];
    }
  });
}
