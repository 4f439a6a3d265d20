// Compaction in a thread of its own, which is there only while it works: no append and no query waits for it.
//
// Nobody may change the blocks meanwhile. Whatever happens to the thread, nothing half stays: what it had not renamed is
// removed here, or, after a crash of the process, by the next start.

import { type CorruptionError, Unavailable } from '@flotilla/model';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Io } from '../io.ts';
import type { Block } from './block.ts';
import { discard, temporaryOf } from './block-writer.ts';
import { type CompactionJob, type CompactionReport, corruptionOf, errorOf } from './compaction-messages.ts';
import { newUlid } from './new-ulid.ts';

/** Bundled or not, the script has this path. */
const script = new URL('../../dist/block/compaction-worker.js', import.meta.url);
/** What it makes for a series is garbage after it. */
const NURSERY_MB = 8;
/** Symbols and postings of all blocks and of the new one: by series and label values, not by samples. Beyond it the compaction fails. */
const HEAP_MB = 2048;

/** As compact(): what the thread ran into is thrown here. Ends early, with Unavailable, when told to stop. */
export async function compactInWorker(
  dir: string,
  blocks: readonly Block[],
  stop: AbortSignal,
  io: Io,
  onDamage: (error: CorruptionError) => void,
): Promise<string | undefined> {
  const job = { dir, ulid: newUlid(), blocks: blocks.map((block) => block.dir) };
  try {
    const { path, damages, failure } = await inThread(job, stop);
    for (const damage of damages) onDamage(corruptionOf(damage));
    if (failure !== undefined) throw errorOf(failure);
    return path;
  } catch (error) {
    discard(temporaryOf(join(dir, job.ulid)), io);
    throw error;
  }
}

/** Settles when the thread has ended. */
async function inThread(job: CompactionJob, stop: AbortSignal): Promise<CompactionReport> {
  const worker = new Worker(script, {
    name: 'compaction',
    workerData: job,
    resourceLimits: { maxYoungGenerationSizeMb: NURSERY_MB, maxOldGenerationSizeMb: HEAP_MB },
  });
  const end = (): void => void worker.terminate();
  stop.addEventListener('abort', end, { once: true });
  if (stop.aborted) end();
  let report: CompactionReport | undefined;
  let death: Error | undefined;
  worker.on('message', (message: CompactionReport) => (report = message));
  worker.on('error', (error: Error) => (death = error));
  const code = await new Promise<number>((resolve) => worker.on('exit', resolve));
  stop.removeEventListener('abort', end);
  if (report !== undefined) return report;
  if (stop.aborted) throw new Unavailable('block: writing was stopped, the database closes');
  throw new Error(`compaction: its thread ended: ${death?.message ?? `exit code ${code}`}`, { cause: death });
}
