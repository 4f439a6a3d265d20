import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { bucketsOfSpans, FloatHistogram, Matcher } from '@flotilla/model';
import { unpackChunks } from '@flotilla/kernel';
import { appendCode, type RawChunk } from './api.ts';
import { decodeHistogramChunk } from './chunk/decode-chunk.ts';
import {
  floatHistogramOf,
  type NativeHistogram,
  nativeOf,
  staleHistogram,
} from './histogram/native-histogram.ts';
import { anything, EPOCH_MS, MINUTE_MS, named, put, readNumbers, Sandbox } from './testing/sandbox.ts';
import type { Tsdb } from './tsdb.ts';

const STEP_MS = 1000;
const options = { blockDurationMs: MINUTE_MS, walSegmentBytes: 20_000 };

let sandbox: Sandbox;
let db: Tsdb;

beforeEach(async () => {
  sandbox = new Sandbox();
  db = await sandbox.tsdb(options);
});

afterEach(() => sandbox.remove());

/** A histogram whose counts grow with n and which has one bucket more every 40. */
function growing(n: number, isFloat: boolean, schema = 2): NativeHistogram {
  const buckets = 2 + Math.floor(n / 40);
  const counts = Array.from({ length: buckets }, (_, i) => n * (i + 1) + (isFloat ? 0.5 : 0));
  const custom = schema === -53;
  const histogram = new FloatHistogram({
    schema,
    count: counts.reduce((a, b) => a + b, 0),
    sum: n * 2.5,
    zeroThreshold: custom ? 0 : 1e-3,
    positive: bucketsOfSpans([{ offset: custom ? 0 : -2, length: buckets }], counts),
    customBounds: custom ? Array.from({ length: buckets }, (_, i) => i + 0.25) : [],
  });
  return nativeOf(histogram, isFloat);
}

const kinds: Record<string, (n: number) => NativeHistogram> = {
  h: (n) => growing(n, false),
  hf: (n) => growing(n, true),
  hc: (n) => growing(n, false, -53),
  hcf: (n) => growing(n, true, -53),
};

/** One transaction a second, with a sample of each kind and a float. */
function fill(from: number, to: number): void {
  const appender = db.appender();
  for (let n = from; n < to; n++) {
    const timeMs = EPOCH_MS + n * STEP_MS;
    for (const [name, make] of Object.entries(kinds)) {
      const sample = n % 50 === 49 ? staleHistogram(name.endsWith('f')) : make(n);
      expect(appender.appendHistogram(appender.series(named(name)), timeMs, sample)).toBe(appendCode.ok);
    }
    appender.append(appender.series(named('x')), timeMs, n);
    appender.commit();
  }
}

/** Series → [n, histogram as text, 'stale'] of each sample; as chunk lists have them, too. */
async function readAll(of: Tsdb): Promise<Record<string, [number, string][]>> {
  const all = await readSamples(of, false);
  expect(await readSamples(of, true)).toEqual(all);
  return all;
}

async function readSamples(of: Tsdb, packed: boolean): Promise<Record<string, [number, string][]>> {
  const out: Record<string, [number, string][]> = {};
  const set = await of.select(anything, 0, 1e15, { packed });
  while (set.next()) {
    const chunks = packed ? (unpackChunks(set.chunkList) as RawChunk[]) : set.chunks;
    const samples = chunks.flatMap((chunk) => decodeHistogramChunk(chunk));
    if (samples.length === 0) continue;
    out[set.labels.toMetric()] = samples.map(({ timeMs, histogram }) => [
      (timeMs - EPOCH_MS) / STEP_MS,
      histogram.isStale ? 'stale' : textOf(histogram),
    ]);
  }
  return out;
}

function textOf(histogram: NativeHistogram): string {
  const { schema, count, sum, zeroThreshold, positive, customBounds } = floatHistogramOf(histogram).compact();
  return JSON.stringify([
    schema,
    count,
    sum,
    zeroThreshold,
    [...positive.indexes],
    [...positive.counts],
    customBounds,
  ]);
}

function expected(from: number, to: number): Record<string, [number, string][]> {
  const entries = Object.entries(kinds).map(([name, make]): [string, [number, string][]] => [
    name,
    Array.from({ length: to - from }, (_, i) => [
      from + i,
      (from + i) % 50 === 49 ? 'stale' : textOf(make(from + i)),
    ]),
  ]);
  return Object.fromEntries(entries);
}

describe('native histograms', () => {
  test('are the same in the head, after a restart, in blocks and after compaction', async () => {
    fill(0, 100);
    expect(await readAll(db)).toEqual(expected(0, 100));
    await db.close();
    db = await sandbox.tsdb(options);
    expect(await readAll(db)).toEqual(expected(0, 100));
    fill(100, 400);
    await db.maintain();
    expect(db.status().blocks.map(({ level }) => level)).toContain(2);
    expect(db.collect()['prometheus_tsdb_checkpoint_creations_total']).toBe(1);
    expect(await readAll(db)).toEqual(expected(0, 400));
    await db.close();
    db = await sandbox.tsdb(options);
    expect(await readAll(db)).toEqual(expected(0, 400));
    expect((await readNumbers(db))['x']).toHaveLength(400);
  });

  test('are refused like floats: out of order, duplicate, contradictory', () => {
    const appender = db.appender();
    const ref = appender.series(named('h'));
    const check = (n: number, histogram: NativeHistogram, want: number): void => {
      expect(appender.appendHistogram(ref, EPOCH_MS + n * STEP_MS, histogram)).toBe(want);
    };
    check(5, growing(5, false), appendCode.ok);
    check(5, growing(5, false), appendCode.ok);
    check(5, growing(6, false), appendCode.duplicate);
    check(4, growing(4, false), appendCode.outOfOrder);
    appender.commit();
    check(5, growing(5, false), appendCode.ok);
    check(5, growing(6, false), appendCode.duplicate);
    check(4, growing(4, false), appendCode.outOfOrder);
    check(1e9, growing(4, false), appendCode.outOfBounds);
    expect(appender.append(ref, EPOCH_MS + 5 * STEP_MS, 1)).toBe(appendCode.duplicate);
    expect(appender.append(ref, EPOCH_MS + 4 * STEP_MS, 1)).toBe(appendCode.outOfOrder);
    expect(appender.appendHistogram(ref + 77, EPOCH_MS + 9 * STEP_MS, growing(1, false))).toBe(
      appendCode.unknownRef,
    );
    expect(() => appender.appendHistogram(ref, 9, { ...growing(1, false), schema: 99 })).toThrow('schema 99');
    expect(() => appender.appendHistogram(ref, 9, { ...growing(1, false), count: 1.5 })).toThrow(
      'histogram: a count',
    );
    appender.rollback();
    expect(db.status().samplesAppended).toBe(1);
  });

  test('and floats may take turns in one series', async () => {
    for (let n = 0; n < 300; n++) {
      const appender = db.appender();
      const ref = appender.series(named('mixed'));
      const timeMs = EPOCH_MS + n * STEP_MS;
      if (Math.floor(n / 7) % 2 === 0) appender.appendHistogram(ref, timeMs, growing(n, false));
      else appender.append(ref, timeMs, n);
      appender.commit();
    }
    const check = async (): Promise<void> => {
      const floats = (await readNumbers(db))['mixed']!.map(([, value]) => value);
      const histograms = (await readAll(db))['mixed']!.map(([n]) => n);
      expect([...floats, ...histograms].toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: 300 }, (_, n) => n),
      );
      expect(floats.every((n) => Math.floor(n / 7) % 2 === 1)).toBe(true);
    };
    await check();
    await db.close();
    db = await sandbox.tsdb(options);
    await check();
    await db.maintain();
    expect(db.status().blocks.length).toBeGreaterThan(0);
    await check();
    await db.deleteSeries([new Matcher('=', '__name__', 'mixed')], EPOCH_MS, EPOCH_MS + 99_500);
    expect((await readAll(db))['mixed']!.every(([n]) => n > 99)).toBe(true);
    await db.cleanTombstones();
    expect((await readAll(db))['mixed']![0]![0]).toBe(100);
  });

  test('leave memory with their series', async () => {
    fill(0, 20);
    put(db, EPOCH_MS + 5 * MINUTE_MS, { y: 1 });
    await db.maintain();
    expect(db.status().headSeries).toBe(1);
    expect(db.status().headChunks).toBe(1);
    expect(await readAll(db)).toEqual(expected(0, 20));
  });
});
