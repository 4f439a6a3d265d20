// The thread that makes one block of some, and ends. What it writes is whole when it is renamed: it may be ended at any moment.

import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { diskIo } from '../io.ts';
import { Block } from './block.ts';
import { compact } from './compact.ts';
import { type CompactionJob, type CompactionReport, damageOf, failureOf } from './compaction-messages.ts';
import { IndexCache } from './index-cache.ts';

/** A ninth of a core that a scrape wants, too: the lowest, 19, is next to nothing where all cores are busy. */
const NICE = 10;

/** Each of them is read from front to back: the indexes are held until the end anyway. */
const cache = new IndexCache(Infinity);

beModest();
parentPort!.postMessage(await run(workerData as CompactionJob));

/** Linux sets the priority of the thread that asks; elsewhere that of the process, which is not meant. */
function beModest(): void {
  if (process.platform === 'linux') setPriority(NICE);
}

async function run({ dir, ulid, blocks }: CompactionJob): Promise<CompactionReport> {
  const damages: CompactionReport['damages'][number][] = [];
  try {
    const opened = blocks.map((path) => new Block(path, cache, (error) => damages.push(damageOf(error))));
    const path = await compact(dir, opened, { ulid, mustStop: () => false }, diskIo);
    return { damages, ...(path !== undefined && { path }) };
  } catch (error) {
    return { damages, failure: failureOf(error) };
  }
}
