// The blocks of a database: which there are, which are damaged, which are too old.

import { type CorruptionError } from '@flotilla/model';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CorruptionStatus, Log } from '../api.ts';
import type { Io } from '../io.ts';
import { syncFolder } from '../wal/wal.ts';
import { Block } from './block.ts';
import { IndexCache } from './index-cache.ts';

const INDEX_CACHE_BYTES = 256 << 20;
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const LEFTOVER = /\.(tmp-for-creation|tmp-for-deletion)$/;
const REPORTS_MAX = 100;

export class Blocks {
  private readonly dir: string;
  private readonly log: Log;
  private readonly io: Io;
  private readonly cache = new IndexCache(INDEX_CACHE_BYTES);
  private blocks: Block[] = [];
  readonly corruptions: CorruptionStatus[] = [];
  damagedReads = 0;
  deletions = 0;

  /** Opens what is in the folder. Damaged blocks are renamed and reported, leftovers of a crash deleted. */
  constructor(dir: string, log: Log, io: Io) {
    this.io = io;
    this.dir = dir;
    this.log = log;
    mkdirSync(dir, { recursive: true });
    for (const name of readdirSync(dir)) {
      if (LEFTOVER.test(name)) rmSync(join(dir, name), { recursive: true, force: true });
      else if (ULID.test(name)) this.tryAdd(join(dir, name));
    }
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
    renameSync(path, movedTo);
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

  /** Deletes the blocks that end before a time. */
  dropBefore(timeMs: number): void {
    const [old, kept] = [
      this.blocks.filter((block) => block.meta.maxTime <= timeMs),
      this.blocks.filter((block) => block.meta.maxTime > timeMs),
    ];
    if (old.length === 0) return;
    this.blocks = kept;
    for (const block of old) this.delete(block);
    syncFolder(this.dir, this.io);
  }

  private delete(block: Block): void {
    block.close();
    const doomed = `${block.dir}.tmp-for-deletion`;
    renameSync(block.dir, doomed);
    rmSync(doomed, { recursive: true, force: true });
    this.deletions++;
    this.log.info('block: deleted, beyond retention', { ulid: block.meta.ulid });
  }
}
