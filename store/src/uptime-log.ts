// When this store was up: runs of [startMs, lastSeenMs], 16 bytes each, the last one rewritten in place every second.
// What lies between runs are gaps, for which a querier asks the other replica. Format: docs/format/uptime.md.

import type { Gap } from '@flotilla/wire';
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

interface Run {
  readonly startMs: number;
  lastSeenMs: number;
}

const runBytes = 16;
const touchMs = 1000;
/** Runs that were read from a file; older ones are forgotten, which only makes gaps larger. */
const runsMax = 4096;

export class UptimeLog {
  readonly #descriptor: number;
  readonly #runs: Run[];
  readonly #current: Run;
  readonly #currentOffset: number;
  #timer: NodeJS.Timeout | undefined;

  private constructor(descriptor: number, runs: Run[], currentOffset: number, nowMs: number) {
    this.#descriptor = descriptor;
    this.#runs = runs;
    this.#currentOffset = currentOffset;
    this.#current = { startMs: nowMs, lastSeenMs: nowMs };
    this.#runs.push(this.#current);
    this.touch(nowMs);
  }

  /** Begins a new run. A torn last record of an earlier one is overwritten. */
  static async open(path: string, nowMs: number = Date.now()): Promise<UptimeLog> {
    const descriptor = openSync(path, 'a+');
    closeSync(descriptor);
    const file = openSync(path, 'r+');
    const whole = Math.floor(fstatSync(file).size / runBytes);
    const first = Math.max(0, whole - runsMax);
    const bytes = Buffer.alloc((whole - first) * runBytes);
    readSync(file, bytes, 0, bytes.length, first * runBytes);
    const runs = Array.from({ length: whole - first }, (_, index) => ({
      startMs: bytes.readDoubleBE(index * runBytes),
      lastSeenMs: bytes.readDoubleBE(index * runBytes + 8),
    }));
    return new UptimeLog(file, runs.filter(isRun), whole * runBytes, nowMs);
  }

  /** Calls touch() every second. */
  startTimer(): void {
    this.#timer = setInterval(() => this.touch(Date.now()), touchMs);
    this.#timer.unref();
  }

  touch(nowMs: number): void {
    this.#current.lastSeenMs = Math.max(this.#current.lastSeenMs, nowMs);
    const bytes = Buffer.alloc(runBytes);
    bytes.writeDoubleBE(this.#current.startMs, 0);
    bytes.writeDoubleBE(this.#current.lastSeenMs, 8);
    writeSync(this.#descriptor, bytes, 0, runBytes, this.#currentOffset);
  }

  /** Times within [minTimeMs, maxTimeMs] in which the store was not up; the time after now is none. */
  gaps(minTimeMs: number, maxTimeMs: number): Gap[] {
    const gaps: Gap[] = [];
    let upToMs = -Infinity;
    for (const { startMs, lastSeenMs } of this.#runs) {
      const [fromMs, toMs] = [Math.max(upToMs, minTimeMs), Math.min(startMs, maxTimeMs)];
      if (fromMs < toMs) gaps.push({ fromMs, toMs });
      upToMs = Math.max(upToMs, lastSeenMs);
    }
    return gaps;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.touch(Date.now());
    closeSync(this.#descriptor);
  }
}

function isRun({ startMs, lastSeenMs }: Run): boolean {
  return Number.isFinite(startMs) && lastSeenMs >= startMs;
}
