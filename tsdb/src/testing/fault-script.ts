// A short life of a database with all of its kinds of disk work, for tests to fail at every step of it.

import { FloatHistogram, Matcher } from '@flotilla/model';
import type { OpenOptions } from '../api.ts';
import { nativeOf } from '../histogram/native-histogram.ts';
import type { Io } from '../io.ts';
import { Tsdb } from '../tsdb.ts';
import { EPOCH_MS, MINUTE_MS, named, silent } from './sandbox.ts';

const STEP_MS = 10_000;
const SERIES = 3;
const STEPS = 60;

export const scriptOptions = {
  retentionMs: 24 * 60 * MINUTE_MS,
  blockDurationMs: MINUTE_MS,
  walSegmentBytes: 1500,
  outOfOrderWindowMs: 5 * MINUTE_MS,
  fsyncIntervalMs: 1e9,
  log: silent,
  clock: () => EPOCH_MS + 1e9,
} satisfies Partial<OpenOptions>;

/** What the script knows of the samples that it wrote: step numbers. */
export interface Progress {
  /** Commits that returned. */
  readonly committed: Set<number>;
  /** Those of them that were there when a sync returned. */
  readonly synced: Set<number>;
  /** Steps of the script that threw. */
  failures: number;
}

export function newProgress(): Progress {
  return { committed: new Set(), synced: new Set(), failures: 0 };
}

export function timeOf(step: number): number {
  return EPOCH_MS + step * STEP_MS;
}

/** Behind the samples of three later steps; no other sample has this time. */
export function lateTimeOf(step: number): number {
  return timeOf(step) - 33_333;
}

/** Samples of s0…s2 with the step's number, of a series of its own, a late one, and a histogram. */
export function commitStep(db: Tsdb, step: number): void {
  const appender = db.appender();
  for (let i = 0; i < SERIES; i++) appender.append(appender.series(named(`s${i}`)), timeOf(step), step);
  appender.append(appender.series(named(`only${step}`)), timeOf(step), step);
  const late = appender.series(named('late'));
  appender.append(late, timeOf(step), -step);
  appender.append(late, lateTimeOf(step), step);
  const fields = { count: step, zeroCount: step, sum: step };
  appender.appendHistogram(
    appender.series(named('h')),
    timeOf(step),
    nativeOf(new FloatHistogram(fields), false),
  );
  appender.commit();
}

/**
 * Appends, syncs, maintains, restarts. What fails is counted, and the next step goes on, until `isOver` says that the
 * machine is off. Returns the database, open, unless it could not be opened.
 */
export async function runScript(
  dir: string,
  io: Io,
  progress: Progress,
  isOver: () => boolean,
): Promise<Tsdb | undefined> {
  let db = await opened(dir, io, progress);
  for (let step = 0; step < STEPS && !isOver(); step++) {
    db ??= await opened(dir, io, progress);
    if (db === undefined) continue;
    const open = db;
    await attempt(progress, () => {
      commitStep(open, step);
      progress.committed.add(step);
    });
    if (step % 4 === 3) {
      await attempt(progress, () => {
        open.sync();
        for (const one of progress.committed) progress.synced.add(one);
      });
    }
    if (step % 14 === 13) await attempt(progress, () => open.maintain());
    if (step === 36) {
      await attempt(progress, () => open.close());
      db = isOver() ? db : await opened(dir, io, progress);
    }
    if (step === 50)
      await attempt(progress, () => open.deleteSeries([new Matcher('=', '__name__', 'nothing')], 0, 1));
  }
  return db;
}

async function opened(dir: string, io: Io, progress: Progress): Promise<Tsdb | undefined> {
  try {
    return await Tsdb.open({ ...scriptOptions, dir, io });
  } catch {
    progress.failures++;
    return undefined;
  }
}

async function attempt(progress: Progress, work: () => void | Promise<void>): Promise<void> {
  try {
    await work();
  } catch {
    progress.failures++;
  }
}
