// A database folder to look at: nothing in it is changed, no lock is taken, and a live process may own it.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { BlockStatus, CorruptionStatus, Log } from './api.ts';
import { type BlockAnalysis, analyzeBlock } from './block/analyze-block.ts';
import { type BlockProblem, verifyBlock } from './block/verify-block.ts';
import { Blocks } from './block/blocks.ts';
import { DatabaseReader } from './database-reader.ts';
import { Head } from './head/head.ts';
import { diskIo, type Io } from './io.ts';
import { Readable } from './readable.ts';
import { replayWal, replayWbl } from './wal/replay.ts';

const BLOCK_DURATION_MS = 2 * 3_600_000;

const nothing = (): void => {};

/** Changes nothing, and says that it did. */
const readOnlyIo: Io = {
  ...diskIo,
  create: () => -1,
  openExisting: () => -1,
  write: nothing,
  sync: nothing,
  syncLater: (_fd, done) => done(null),
  truncate: nothing,
  close: nothing,
  makeFolder: nothing,
  rename: nothing,
  link: nothing,
  remove: nothing,
  syncFolder: nothing,
};

export class ReadOnlyTsdb extends Readable {
  private readonly held: Blocks;
  protected readonly reader: DatabaseReader;
  /** Damage in blocks and logs; nothing was moved. */
  readonly corruptions: readonly CorruptionStatus[];

  /** Reads the blocks' indexes, and, unless `blocksOnly`, the WAL into memory. Throws if there is no such folder. */
  constructor(dir: string, log: Log, options: { readonly blocksOnly?: boolean } = {}) {
    super();
    statSync(dir);
    this.held = new Blocks(dir, log, readOnlyIo);
    const head = new Head(BLOCK_DURATION_MS);
    head.refuseBefore(this.held.headCutMs);
    const corruptions = [...this.held.corruptions];
    if (options.blocksOnly !== true) {
      const replayed = replayWal(join(dir, 'wal'), head, log, readOnlyIo);
      const late = replayWbl(join(dir, 'wbl'), head, replayed.aliases, log, readOnlyIo);
      corruptions.push(...replayed.corruptions, ...late);
    }
    this.corruptions = corruptions;
    this.reader = new DatabaseReader(this.held, head);
  }

  /** Ascending in time. */
  get blocks(): readonly BlockStatus[] {
    return this.held.all.map((block) => block.status);
  }

  /** undefined if there is no such block. Throws CorruptionError. */
  analyze(ulid: string): BlockAnalysis | undefined {
    const block = this.held.all.find(({ meta }) => meta.ulid === ulid);
    return block === undefined ? undefined : analyzeBlock(block);
  }

  /** Reads every byte of every block; what does not fit. */
  verify(): BlockProblem[] {
    return this.held.all.flatMap((block) => verifyBlock(block));
  }
}
