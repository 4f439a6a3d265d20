// For tests: databases in temporary folders, and what is in them as plain values.

import { unpackChunks } from '@flotilla/kernel';
import { Labels, Matcher, METRIC_NAME } from '@flotilla/model';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Log, OpenOptions, Queryable, RawChunk, SelectOptions } from '../api.ts';
import { decodeChunk } from '../chunk/decode-chunk.ts';
import { Tsdb } from '../tsdb.ts';

export const MINUTE_MS = 60_000;
export const EPOCH_MS = 1_700_006_400_000; // A multiple of two hours.

export const silent: Log = { info() {}, warn() {}, error() {} };

/** Where files are in memory on Linux. */
const memoryFolder = '/dev/shm';

export class Sandbox {
  readonly dir: string;
  private readonly open: Tsdb[] = [];

  constructor(parent = tmpdir()) {
    this.dir = mkdtempSync(join(parent, 'flotilla-tsdb-'));
  }

  /** In memory where the system has a folder for that: a test that makes thousands of small files is the disk's speed otherwise. */
  static inMemory(): Sandbox {
    return new Sandbox(existsSync(memoryFolder) ? memoryFolder : tmpdir());
  }

  async tsdb(options: Partial<OpenOptions> = {}): Promise<Tsdb> {
    const db = await Tsdb.open({
      dir: this.dir,
      retentionMs: 24 * 60 * MINUTE_MS,
      log: silent,
      clock: () => EPOCH_MS + 1e9,
      ...options,
    });
    this.open.push(db);
    return db;
  }

  async remove(): Promise<void> {
    for (const db of this.open) await db.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export function named(name: string, labels: Record<string, string> = {}): Labels {
  return Labels.fromRecord({ [METRIC_NAME]: name, ...labels });
}

export const anything = [new Matcher('=~', METRIC_NAME, '.*')];

/** [time, bits of the value] */
export type Point = [timeMs: number, bits: bigint];

// Of one chunk, used again for the next.
let chunkTimes = new Float64Array(256);
let chunkValues = new Float64Array(256);

export function pointsOf(chunks: readonly RawChunk[]): Point[] {
  const points: Point[] = [];
  for (const chunk of chunks) {
    if (chunk.samples > chunkTimes.length) {
      chunkTimes = new Float64Array(chunk.samples);
      chunkValues = new Float64Array(chunk.samples);
    }
    const count = decodeChunk(chunk, chunkTimes, chunkValues);
    const bits = new BigUint64Array(chunkValues.buffer);
    for (let i = 0; i < count; i++) points.push([chunkTimes[i]!, bits[i]!]);
  }
  return points;
}

/** Series text → points within the range, for everything that matches; as chunk lists have them, too. */
export async function read(
  db: Queryable,
  matchers: readonly Matcher[] = anything,
  minTimeMs = -1e15,
  maxTimeMs = 1e15,
  options: SelectOptions = {},
): Promise<Map<string, Point[]>> {
  const points = await readSet(db, matchers, minTimeMs, maxTimeMs, options);
  if (options.skipChunks === true) return points;
  const packed = await readSet(db, matchers, minTimeMs, maxTimeMs, { ...options, packed: true });
  if (!isDeepStrictEqual(packed, points))
    throw new Error('chunk lists: other points than those of the chunks');
  await checkParts(db, matchers, points, options);
  const newest = await readSet(db, matchers, minTimeMs, maxTimeMs, {
    ...options,
    packed: true,
    latestOnly: true,
  });
  const last = (all: ReadonlyMap<string, Point[]>) => [...all].map(([series, of]) => [series, of.at(-1)]);
  if (!isDeepStrictEqual(last(newest), last(points)))
    throw new Error('newest samples: others than the last of the points');
  return points;
}

/** Of parts of the time in which there are points, with chunk lists: what is there whole. */
async function checkParts(
  db: Queryable,
  matchers: readonly Matcher[],
  points: ReadonlyMap<string, Point[]>,
  options: SelectOptions,
): Promise<void> {
  const times = Float64Array.from([...points.values()].flat(), ([t]) => t).toSorted();
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  for (const [from, to] of [
    [last - (last - first) / 8, last],
    [last - (last - first) / 4, last - (last - first) / 6],
  ] as const) {
    const part = await readSet(db, matchers, from, to, { ...options, packed: true });
    const want = [...points]
      .map(([series, all]) => [series, all.filter(([t]) => t >= from && t <= to)] as const)
      .filter(([, inside]) => inside.length > 0);
    if (!isDeepStrictEqual([...part], want)) throw new Error(`chunk lists of ${from} to ${to}: other points`);
  }
}

/** The same in one way, with chunk lists if they are packed. */
export async function readSet(
  db: Queryable,
  matchers: readonly Matcher[] = anything,
  minTimeMs = -1e15,
  maxTimeMs = 1e15,
  options: SelectOptions = {},
): Promise<Map<string, Point[]>> {
  const out = new Map<string, Point[]>();
  const set = await db.select(matchers, minTimeMs, maxTimeMs, options);
  while (set.next()) {
    const inside = pointsOf(
      options.packed === true ? (unpackChunks(set.chunkList) as RawChunk[]) : set.chunks,
    ).filter(([t]) => t >= minTimeMs && t <= maxTimeMs);
    if (options.skipChunks === true || inside.length > 0) out.set(set.labels.toMetric(), inside);
  }
  set.close();
  return out;
}

/** The same with values as numbers. */
export async function readNumbers(
  db: Queryable,
  matchers?: readonly Matcher[],
  minTimeMs?: number,
  maxTimeMs?: number,
): Promise<Record<string, [number, number][]>> {
  const view = new DataView(new ArrayBuffer(8));
  const out: Record<string, [number, number][]> = {};
  for (const [series, points] of await read(db, matchers, minTimeMs, maxTimeMs)) {
    out[series] = points.map(([t, bits]) => {
      view.setBigUint64(0, bits);
      return [t, view.getFloat64(0)];
    });
  }
  return out;
}

/** One transaction with one sample of each series. */
export function put(db: Tsdb, timeMs: number, samples: Record<string, number>): void {
  const appender = db.appender();
  for (const [name, value] of Object.entries(samples)) {
    appender.append(appender.series(named(name)), timeMs, value);
  }
  appender.commit();
}
