// A head whose memory is used up: what does not fit is refused before anything is written, and nothing that was taken is lost.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Unavailable } from '@flotilla/model';
import { EPOCH_MS, MINUTE_MS, named, read, readSet, Sandbox } from '../testing/sandbox.ts';
import type { Tsdb } from '../tsdb.ts';

const MIB = 1 << 20;
const options = { headBytesMax: 12 * MIB, blockDurationMs: MINUTE_MS, retentionMs: 2 * MINUTE_MS };
const seriesFull =
  /^head: \d+ series take \d+ of 12582912 bytes, no room for more series; more shards have it$/;
const samplesFull =
  /^head: \d+ series take \d+ of 12582912 bytes, no room for more samples; more shards have it$/;

let sandbox: Sandbox;
let db: Tsdb;
let refs: number[];

beforeEach(async () => {
  sandbox = new Sandbox();
  db = await sandbox.tsdb(options);
  refs = [];
});

afterEach(() => sandbox.remove());

function room(): number {
  return db.collect()['flotilla_tsdb_head_room_bytes']!;
}

/** Noise, so that chunks are large. */
function noise(ref: number, timeMs: number): number {
  return Math.sin(ref * (timeMs % 1e7)) * 1e6;
}

function appendAll(timeMs: number, to = refs): void {
  const appender = db.appender();
  const values = Float64Array.from(to, (ref) => noise(ref, timeMs));
  appender.appendBatch(Uint32Array.from(to), values, to.length, timeMs);
  appender.commit();
}

/** What the first call throws that throws. */
function firstError(calls: number, call: (i: number) => void): Error {
  for (let i = 0; i < calls; i++) {
    try {
      call(i);
    } catch (error) {
      return error as Error;
    }
  }
  throw new Error(`nothing was refused in ${calls} calls`);
}

/** Series of one sample each, one a transaction, until no more are taken. */
function fillWithSeries(timeMs: number): Error {
  return firstError(1e6, (i) => {
    const appender = db.appender();
    try {
      const ref = appender.series(named('one', { id: `${timeMs}-${i}` }));
      appender.append(ref, timeMs, 1);
      appender.commit();
      refs.push(ref);
    } catch (error) {
      appender.rollback();
      throw error;
    }
  });
}

describe('a full head', () => {
  test('refuses new series, takes samples of those that it has, and takes series again after a cut', async () => {
    expect(fillWithSeries(EPOCH_MS)).toMatchObject({
      name: 'Unavailable',
      message: expect.stringMatching(seriesFull),
    });
    const full = refs.length;
    expect(full).toBeGreaterThan(10_000);
    expect(db.status().headSeries).toBe(full);
    expect(room()).toBeLessThan(options.headBytesMax / 8);
    for (let i = 0; i < full; i += 1000) appendAll(EPOCH_MS + 1000, refs.slice(i, i + 1000));
    // As many that they might not fit: all or none.
    expect(() => appendAll(EPOCH_MS + 2000, refs.slice(0, 45_000))).toThrow(samplesFull);
    const taken = await readSet(db);
    expect(taken.size).toBe(full);
    expect([...taken.values()].every(({ length }) => length === 2)).toBe(true);
    // Found, not made.
    expect(db.appender().series(named('one', { id: `${EPOCH_MS}-0` }))).toBe(refs[0]);
    for (let minute = 1; minute < 4; minute++) {
      const appender = db.appender();
      appender.append(refs[0]!, EPOCH_MS + minute * MINUTE_MS, minute);
      appender.commit();
    }
    await db.maintain();
    expect(db.status().headSeries).toBeLessThan(10);
    refs = [];
    expect(fillWithSeries(EPOCH_MS + 4 * MINUTE_MS)).toBeInstanceOf(Unavailable);
    expect(refs.length).toBeGreaterThan(0.95 * full);
  });

  test('ends open chunks early, and loses nothing, over a restart either', async () => {
    await db.close();
    const headBytesMax = 6 * MIB;
    db = await sandbox.tsdb({ ...options, headBytesMax });
    const appender = db.appender();
    refs = Array.from({ length: 8000 }, (_, i) => appender.series(named('many', { id: `${i}` })));
    appender.commit();
    const samples = 130; // Ten megabytes.
    let least = Infinity;
    for (let i = 0; i < samples; i++) {
      appendAll(EPOCH_MS + 100 * i);
      least = Math.min(least, room());
    }
    expect(least).toBeLessThan(headBytesMax / 8);
    expect(least).toBeGreaterThan(headBytesMax / 64);
    const { prometheus_tsdb_head_chunks: chunks } = db.collect();
    expect(chunks).toBeGreaterThan(refs.length / 2);
    const before = await read(db);
    expect(before.size).toBe(refs.length);
    expect([...before.values()].every((points) => points.length === samples)).toBe(true);
    for (const headSnapshot of [false, true]) {
      await db.close();
      db = await sandbox.tsdb({ ...options, headBytesMax, headSnapshot });
      expect(await read(db)).toEqual(before);
    }
  });
});
