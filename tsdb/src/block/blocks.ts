// The blocks of a database: which there are, which are damaged, which were replaced, which are too old.

import { type CorruptionError, type Matcher } from '@flotilla/model';
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { CorruptionStatus, Log } from '../api.ts';
import { diskIo, type Io } from '../io.ts';
import { Block } from './block.ts';
import { compact } from './compact.ts';
import { compactInWorker } from './compact-in-worker.ts';
import { IndexCache } from './index-cache.ts';
import { isOutOfOrder } from './meta.ts';

const INDEX_CACHE_BYTES = 256 << 20;
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const LEFTOVER = /\.(tmp-for-creation|tmp-for-deletion)$/;
const REPORTS_MAX = 100;

export class Blocks {
  private readonly dir: string;
  private readonly log: Log;
  private readonly io: Io;
  private readonly cache = new IndexCache(INDEX_CACHE_BYTES);
  private blocks: readonly Block[] = [];
  /** Folders of blocks that are out, but still read by somebody. */
  private readonly dying = new Set<string>();
  readonly corruptions: CorruptionStatus[] = [];
  damagedReads = 0;
  /** Put aside, or not compactable. */
  damagedBlocks = 0;
  timeRetentions = 0;
  sizeRetentions = 0;

  /** Opens what is in the folder. Damaged blocks are renamed and reported, leftovers of a crash deleted. */
  constructor(dir: string, log: Log, io: Io) {
    this.io = io;
    this.dir = dir;
    this.log = log;
    io.makeFolder(dir);
    for (const name of readdirSync(dir)) {
      if (LEFTOVER.test(name)) io.remove(join(dir, name));
    }
    this.reload();
  }

  /** Opens the blocks that came into the folder since: imported ones. */
  reload(): void {
    const known = new Set([...this.blocks.map((block) => basename(block.dir)), ...this.dying]);
    for (const name of readdirSync(this.dir)) {
      if (ULID.test(name) && !known.has(name)) this.tryAdd(join(this.dir, name));
    }
    // A crash between the birth of a block and the death of those that it was made of.
    const replaced = new Set(
      this.blocks.flatMap(({ meta }) => meta.compaction.parents?.map(({ ulid }) => ulid) ?? []),
    );
    this.drop(
      this.blocks.filter(({ meta }) => replaced.has(meta.ulid)),
      'replaced',
    );
  }

  /** Ascending in time. */
  get all(): readonly Block[] {
    return this.blocks;
  }

  get sizeBytes(): number {
    return this.blocks.reduce((sum, block) => sum + block.sizeBytes, 0);
  }

  /** Where the newest block ends (exclusive); −Infinity without blocks. */
  get maxTimeMs(): number {
    return this.blocks.reduce((max, block) => Math.max(max, block.meta.maxTime), -Infinity);
  }

  /** How far the head was cut into blocks; −Infinity if it never was. */
  get headCutMs(): number {
    const cut = this.blocks.filter(({ meta }) => !isOutOfOrder(meta));
    return cut.reduce((max, block) => Math.max(max, block.meta.maxTime), -Infinity);
  }

  private tryAdd(path: string): void {
    try {
      this.add(path);
    } catch (error) {
      this.quarantine(path, error instanceof Error ? error.message : String(error));
    }
  }

  /** Opens one more block. Throws CorruptionError. */
  add(path: string): void {
    const block = new Block(path, this.cache, (error) => this.damagedRead(error));
    this.blocks = [...this.blocks, block].toSorted((a, b) => a.meta.minTime - b.meta.minTime);
  }

  private quarantine(path: string, detail: string): void {
    let n = 0;
    while (existsSync(`${path}.corrupt-${n}`)) n++;
    const movedTo = `${path}.corrupt-${n}`;
    this.io.rename(path, movedTo);
    this.damagedBlocks++;
    this.corruptions.push({ path, movedTo, detail });
    this.log.error('block: damaged, put aside', { path, movedTo, detail });
  }

  /** A chunk or series that cannot be read: counted, the first ones reported; the rest of the block serves. */
  private damagedRead(error: CorruptionError): void {
    this.damagedReads++;
    if (this.corruptions.length >= REPORTS_MAX) return;
    this.corruptions.push({ path: error.path, movedTo: '', detail: error.message });
    this.log.error('block: damaged part left out', { path: error.path, detail: error.message });
  }

  overlapping(minTimeMs: number, maxTimeMs: number): Block[] {
    return this.blocks.filter((block) => block.overlaps(minTimeMs, maxTimeMs));
  }

  /**
   * Replaces some blocks by one with their samples, less what is deleted; waits for `beforeGone` before they go and
   * nothing is left of them. Throws what the disk throws, and CorruptionError if one of them is damaged; then nothing has changed.
   */
  async compact(blocks: readonly Block[], stop: AbortSignal, beforeGone: () => Promise<void>): Promise<void> {
    const { dir, io } = this;
    // Faults are put into calls of this thread: a database that has them compacts here.
    const path =
      io === diskIo
        ? await compactInWorker(dir, blocks, stop, io, (error) => this.damagedRead(error))
        : await compact(dir, blocks, { mustStop: () => stop.aborted }, io);
    if (path === undefined) await beforeGone();
    else this.add(path);
    this.drop(blocks, 'compacted');
  }

  /** A block that compact() found damaged: it serves what is left of it, and is not tried again. */
  markFailed(blocks: readonly Block[], detail: string): void {
    for (const block of blocks) block.markFailed(this.io);
    this.damagedBlocks++;
    const paths = blocks.map(({ dir }) => dir).join(' ');
    this.corruptions.push({ path: paths, movedTo: '', detail });
    this.log.error('block: damaged, cannot be compacted', { paths, detail });
  }

  /** Marks samples as deleted. Returns how many series of blocks that touched. */
  deleteSeries(matchers: readonly Matcher[], minTimeMs: number, maxTimeMs: number): number {
    let touched = 0;
    for (const block of this.overlapping(minTimeMs, maxTimeMs)) {
      touched += block.deleteSeries(matchers, minTimeMs, maxTimeMs, this.io);
    }
    return touched;
  }

  /** Deletes the blocks that end before a time. */
  dropBefore(timeMs: number): void {
    const old = this.blocks.filter((block) => block.meta.maxTime <= timeMs);
    this.timeRetentions += old.length;
    this.drop(old, 'beyond retention time');
  }

  /** Deletes the oldest blocks until the others take no more than so many bytes. */
  shrinkTo(bytesMax: number): void {
    const byAge = this.blocks.toSorted((a, b) => b.meta.maxTime - a.meta.maxTime);
    let bytes = 0;
    const old = byAge.filter((block) => (bytes += block.sizeBytes) > bytesMax);
    this.sizeRetentions += old.length;
    this.drop(old, 'beyond retention size');
  }

  private drop(blocks: readonly Block[], reason: string): void {
    if (blocks.length === 0) return;
    this.blocks = this.blocks.filter((block) => !blocks.includes(block));
    for (const block of blocks) {
      this.dying.add(basename(block.dir));
      block.closeAndThen(() => this.delete(block, reason));
    }
    this.io.syncFolder(this.dir);
  }

  private delete({ dir, meta }: Block, reason: string): void {
    const doomed = `${dir}.tmp-for-deletion`;
    this.io.rename(dir, doomed);
    this.dying.delete(basename(dir));
    this.io.remove(doomed);
    this.log.info('block: deleted', { ulid: meta.ulid, reason });
  }
}
