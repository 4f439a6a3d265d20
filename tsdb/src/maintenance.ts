// The background work of a database: head → block, WAL → checkpoint, old blocks → gone. One run at a time.

import type { Log } from './api.ts';
import type { Blocks } from './block/blocks.ts';
import { writeBlock } from './block/block-writer.ts';
import { HeadBlockSource } from './head/head-block-source.ts';
import type { Head } from './head/head.ts';
import type { Io } from './io.ts';
import { writeCheckpoint } from './wal/checkpoint.ts';
import { listCheckpoints, listSegments } from './wal/segment-files.ts';
import type { Wal } from './wal/wal.ts';

const INTERVAL_MS = 60_000;

export interface MaintenanceOptions {
  readonly dir: string;
  readonly walDir: string;
  readonly retentionMs: number;
  readonly head: Head;
  readonly wal: Wal;
  readonly blocks: Blocks;
  readonly io: Io;
  readonly log: Log;
}

export class Maintenance {
  private readonly options: MaintenanceOptions;
  private running: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closing = false;
  compactions = 0;
  failures = 0;
  truncations = 0;
  checkpoints = 0;

  constructor(options: MaintenanceOptions) {
    this.options = options;
  }

  start(intervalMs = INTERVAL_MS): void {
    this.stop();
    this.timer = setInterval(() => void this.runQuietly(), intervalMs);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private async runQuietly(): Promise<void> {
    try {
      await this.run();
    } catch (error) {
      this.options.log.error('maintenance failed', {
        error: error instanceof Error ? error.message : String(error),
      });
    }
  }

  run(): Promise<void> {
    this.running ??= this.runOnce().finally(() => (this.running = undefined));
    return this.running;
  }

  private async runOnce(): Promise<void> {
    try {
      const cut = await this.cutBlocks();
      if (cut > 0) await this.shortenWal();
      this.applyRetention();
    } catch (error) {
      this.failures++;
      throw error;
    }
  }

  /** Cuts a block as long as the head spans one and a half; returns how many were cut. */
  private async cutBlocks(): Promise<number> {
    const { head } = this.options;
    const duration = head.blockDurationMs;
    let cut = 0;
    while (!this.closing && head.maxTimeMs - head.minTimeMs > 1.5 * duration) {
      const first = head.firstTimeMs(); // minTimeMs is only a lower bound.
      if (head.maxTimeMs - first <= 1.5 * duration) break;
      const minTimeMs = Math.floor(first / duration) * duration;
      await this.cutBlock(minTimeMs, minTimeMs + duration);
      cut++;
    }
    return cut;
  }

  private async cutBlock(minTimeMs: number, maxTimeMs: number): Promise<void> {
    const { dir, head, blocks, io, log } = this.options;
    const source = new HeadBlockSource(head, minTimeMs, maxTimeMs);
    const path = await writeBlock(dir, source, minTimeMs, maxTimeMs, io);
    blocks.add(path); // From here to the truncation nothing reads.
    head.truncate(maxTimeMs);
    this.compactions++;
    this.truncations++;
    log.info('block: cut from the head', { path, minTimeMs, maxTimeMs, series: source.count });
  }

  /** Replaces the lower two thirds of the segments by a checkpoint, as Prometheus does. */
  private async shortenWal(): Promise<void> {
    const { walDir, head, wal, io } = this.options;
    wal.nextSegment();
    const checkpoint = listCheckpoints(walDir).at(-1) ?? -1;
    const segments = listSegments(walDir).filter((n) => n > checkpoint && n < wal.segment);
    const first = segments[0];
    const last = segments.at(-1);
    if (first === undefined || last === undefined) return;
    const through = first + Math.floor(((last - first) * 2) / 3);
    if (through <= first) return;
    await writeCheckpoint(walDir, head, through, wal.compress, io);
    wal.dropThrough(through);
    this.checkpoints++;
  }

  private applyRetention(): void {
    const { head, blocks, retentionMs } = this.options;
    blocks.dropBefore(Math.max(head.maxTimeMs, blocks.maxTimeMs - 1) - retentionMs);
  }

  async close(): Promise<void> {
    this.stop();
    this.closing = true;
    try {
      await this.running;
    } catch {
      // Counted, and told to whoever started the run.
    }
  }
}
