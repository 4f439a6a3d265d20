// The background work of a database: head → block, WAL → checkpoint, blocks → larger ones, old blocks → gone.
//
// One run at a time; whatever else rewrites blocks (clean tombstones, snapshots) waits for its turn in the same queue.

import { CorruptionError } from '@flotilla/model';
import type { Log } from './api.ts';
import type { Blocks } from './block/blocks.ts';
import { writeBlock } from './block/block-writer.ts';
import { levelRangesMs, planCompaction } from './block/compaction-plan.ts';
import type { Block } from './block/block.ts';
import { OUT_OF_ORDER_HINT } from './block/meta.ts';
import { HeadBlockSource } from './head/head-block-source.ts';
import { lateBlockSource } from './head/late-block-source.ts';
import type { HeadChunkFiles } from './head/head-chunk-files.ts';
import type { Head } from './head/head.ts';
import type { Io } from './io.ts';
import { writeCheckpoint } from './wal/checkpoint.ts';
import { listCheckpoints, listSegments } from './wal/segment-files.ts';
import { rewriteWbl } from './wal/rewrite-wbl.ts';
import type { WalTail } from './wal/tail.ts';
import type { Wal } from './wal/wal.ts';

const INTERVAL_MS = 60_000;
/** Readers that hold a cut back for longer fail. */
const READERS_WAIT_MS_MAX = 10_000;
const LATE_SAMPLES_MAX = 1_000_000;

export interface MaintenanceOptions {
  readonly dir: string;
  readonly walDir: string;
  readonly retentionMs: number;
  /** Of blocks, WAL and head files together; Infinity for no limit. */
  readonly retentionBytes: number;
  readonly head: Head;
  readonly wal: Wal;
  /** The log of late samples, if any are taken. */
  readonly wbl: Wal | undefined;
  readonly blocks: Blocks;
  readonly chunkFiles: HeadChunkFiles;
  /** Who else reads the WAL. */
  readonly tails: ReadonlySet<WalTail>;
  readonly io: Io;
  readonly log: Log;
}

export class Maintenance {
  private readonly options: MaintenanceOptions;
  private running: Promise<void> | undefined;
  private queue: Promise<unknown> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private readonly closing = new AbortController();
  private lateCut = 0;
  compactions = 0;
  failures = 0;
  truncations = 0;
  checkpoints = 0;

  constructor(options: MaintenanceOptions) {
    this.options = options;
  }

  private get isClosing(): boolean {
    return this.closing.signal.aborted;
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

  /** Calls while a run waits or works share it. */
  run(): Promise<void> {
    this.running ??= this.exclusive(() => this.runOnce()).finally(() => (this.running = undefined));
    return this.running;
  }

  /** Runs work that rewrites blocks, after what came before it. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.queue.then(work);
    this.queue = done.catch(() => {});
    return done;
  }

  private async runOnce(): Promise<void> {
    try {
      this.options.blocks.reload();
      const late = (await this.mustCutLate()) ? await this.cutLate() : 0;
      const cut = await this.cutBlocks();
      // The wbl first: late samples that are deleted must not outlive the records in the WAL that say so.
      this.shortenWbl(late + cut);
      if (cut > 0) await this.shortenWal();
      this.applyRetention();
      await this.compactBlocks();
      this.applyRetention();
    } catch (error) {
      if (this.isClosing) return;
      this.failures++;
      throw error;
    }
  }

  /** Cuts a block as long as the head spans one and a half; returns how many were cut. */
  private async cutBlocks(): Promise<number> {
    const { head } = this.options;
    const duration = head.blockDurationMs;
    let cut = 0;
    while (!this.isClosing && head.maxTimeMs - head.minTimeMs > 1.5 * duration) {
      const first = await head.firstTimeMs(); // minTimeMs is only a lower bound.
      if (head.maxTimeMs - first <= 1.5 * duration) break;
      const minTimeMs = Math.floor(first / duration) * duration;
      await this.cutBlock(minTimeMs, minTimeMs + duration);
      cut++;
    }
    return cut;
  }

  /** Late samples of ranges that are cut already wait for the next cut, unless they become too many. */
  private async mustCutLate(): Promise<boolean> {
    const { head } = this.options;
    if (head.late.minTimeMs >= head.truncatedBeforeMs) return false;
    const isDue = head.maxTimeMs - (await head.firstTimeMs()) > 1.5 * head.blockDurationMs;
    return isDue || head.late.appended - this.lateCut > LATE_SAMPLES_MAX;
  }

  /** Blocks of the late samples of ranges that were cut before; returns how many. */
  private async cutLate(): Promise<number> {
    const { dir, head, blocks, io } = this.options;
    const duration = head.blockDurationMs;
    const from = Math.floor(head.late.minTimeMs / duration) * duration;
    const to = head.truncatedBeforeMs;
    const appended = head.late.appended;
    let cut = 0;
    head.late.freeze();
    try {
      for (let minTimeMs = from; minTimeMs < to; minTimeMs += duration) {
        const maxTimeMs = Math.min(to, minTimeMs + duration);
        const plan = { minTimeMs, maxTimeMs, hints: [OUT_OF_ORDER_HINT], mustStop: () => this.isClosing };
        const path = await writeBlock(dir, lateBlockSource(head, minTimeMs, maxTimeMs), plan, io);
        if (path === undefined) continue;
        blocks.add(path);
        cut++;
      }
    } catch (error) {
      head.late.thaw(); // What blocks have already comes again: reads and compaction take it once.
      throw error;
    }
    head.late.settle(from, to);
    this.lateCut = appended;
    this.compactions += cut;
    return cut;
  }

  private shortenWbl(cut: number): void {
    const { wbl, head } = this.options;
    if (wbl !== undefined && cut > 0 && wbl.sizeBytes > 0) rewriteWbl(wbl, head);
  }

  private async cutBlock(minTimeMs: number, maxTimeMs: number): Promise<void> {
    const { head } = this.options;
    head.late.freeze();
    try {
      await this.writeHeadBlock(minTimeMs, maxTimeMs);
    } catch (error) {
      head.late.thaw();
      throw error;
    }
    head.late.settle(minTimeMs, maxTimeMs);
    head.truncate(maxTimeMs);
    this.compactions++;
    this.truncations++;
  }

  private async writeHeadBlock(minTimeMs: number, maxTimeMs: number): Promise<void> {
    const { dir, head, blocks, io, log } = this.options;
    head.refuseBefore(maxTimeMs);
    const source = await HeadBlockSource.create(head, minTimeMs, maxTimeMs);
    const plan = { minTimeMs, maxTimeMs, mustStop: () => this.isClosing };
    const path = await writeBlock(dir, source, plan, io);
    await head.readers.none(READERS_WAIT_MS_MAX, this.closing.signal);
    if (path !== undefined) blocks.add(path); // From here to the truncation nothing reads.
    log.info('block: cut from the head', { path, minTimeMs, maxTimeMs, series: source.count });
  }

  /** Replaces the lower two thirds of the segments by a checkpoint, as Prometheus does. */
  private async shortenWal(): Promise<void> {
    const { walDir, wal } = this.options;
    wal.nextSegment();
    const checkpoint = listCheckpoints(walDir).at(-1) ?? -1;
    const segments = listSegments(walDir).filter((n) => n > checkpoint && n < wal.segment);
    const first = segments[0];
    const last = segments.at(-1);
    if (first === undefined || last === undefined) return;
    const through = first + Math.floor(((last - first) * 2) / 3);
    if (through > first && !this.isHeld(through)) await this.checkpoint(through);
  }

  /**
   * Leaves nothing in the WAL that was cut from the head: samples that are deleted from blocks may be there still, and a start
   * without the blocks would take them for the head's.
   */
  private async clearWal(): Promise<void> {
    const { wal } = this.options;
    wal.nextSegment();
    await this.checkpoint(wal.segment - 1);
  }

  /** Replaces the segments up to one by a checkpoint. */
  private async checkpoint(through: number): Promise<void> {
    const { walDir, head, wal, io } = this.options;
    for (const tail of this.options.tails) await tail.countLost(through);
    await writeCheckpoint(walDir, head, through, { compress: wal.compress }, io);
    wal.dropThrough(through);
    this.checkpoints++;
  }

  /** Whether somebody has not read yet what would go, and the WAL may still grow. */
  private isHeld(through: number): boolean {
    const { head, wal, tails, log } = this.options;
    const holders = [...tails].filter(
      (tail) => wal.sizeBytes < tail.holdBytesMax && tail.needs(through, head.truncatedBeforeMs),
    );
    if (holders.length > 0)
      log.warn('wal: not shortened, since it is not read yet', { bytes: wal.sizeBytes });
    return holders.length > 0;
  }

  /** Compacts as long as the plan names blocks. */
  private async compactBlocks(): Promise<void> {
    const { blocks, head, retentionMs } = this.options;
    const rangesMs = levelRangesMs(head.blockDurationMs, retentionMs);
    while (!this.isClosing) {
      const metas = planCompaction(
        blocks.all.map(({ meta }) => meta),
        rangesMs,
      );
      if (metas.length === 0) return;
      await this.compact(blocks.all.filter(({ meta }) => metas.includes(meta)));
    }
  }

  private async compact(parents: readonly Block[]): Promise<void> {
    const { blocks, log } = this.options;
    try {
      await blocks.compact(parents, this.closing.signal, () => this.clearWal());
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      blocks.markFailed(parents, error.message);
      return;
    }
    this.compactions++;
    log.info('blocks: compacted', { parents: parents.map(({ meta }) => meta.ulid) });
  }

  /** Rewrites every block of which something is deleted. */
  cleanTombstones(): Promise<void> {
    return this.exclusive(async () => {
      for (const block of this.options.blocks.all) {
        if (block.tombstones.size > 0 && block.meta.compaction.failed !== true) await this.compact([block]);
      }
    });
  }

  private applyRetention(): void {
    const { head, blocks, wal, wbl, chunkFiles, retentionMs, retentionBytes } = this.options;
    blocks.dropBefore(Math.max(head.maxTimeMs, blocks.maxTimeMs - 1) - retentionMs);
    blocks.shrinkTo(retentionBytes - wal.sizeBytes - (wbl?.sizeBytes ?? 0) - chunkFiles.sizeBytes);
  }

  async close(): Promise<void> {
    this.stop();
    this.closing.abort();
    try {
      await this.queue;
    } catch {
      // Counted, and told to whoever started the run.
    }
  }
}
