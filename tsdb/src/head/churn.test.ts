import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Matcher } from '@flotilla/model';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { staleHistogram } from '../histogram/native-histogram.ts';
import { diskIo } from '../io.ts';
import { anything, EPOCH_MS, MINUTE_MS, named, read, readSet, Sandbox } from '../testing/sandbox.ts';
import type { Tsdb } from '../tsdb.ts';

const SERIES = 2000;
const options = {
  blockDurationMs: MINUTE_MS,
  retentionMs: 2 * MINUTE_MS,
  io: { ...diskIo, sync() {}, syncFolder() {} },
};

let sandbox: Sandbox;
let db: Tsdb;

beforeEach(async () => {
  sandbox = new Sandbox();
  db = await sandbox.tsdb(options);
});

afterEach(() => sandbox.remove());

/** The same of histograms, of which some come to have more buckets. */
function histogramRound(number: number, series: number): void {
  const appender = db.appender();
  for (let step = 0; step < 12; step++) {
    for (let i = 0; i < series; i++) {
      const ref = appender.series(named('churn', { pod: `pod-${number}-${i}` }));
      const buckets = 20 + (i % 5) + (step > 6 ? i % 3 : 0);
      const positive = Array.from({ length: buckets }, (_, k) => (step * (k + i + 1)) ** 3);
      const histogram = { ...staleHistogram(false), isStale: false, positive, count: step, sum: step };
      const positiveSpans = [{ offset: 0, length: buckets }];
      const timeMs = EPOCH_MS + number * MINUTE_MS + 5000 * step;
      expect(appender.appendHistogram(ref, timeMs, { ...histogram, positiveSpans })).toBe(0);
    }
    appender.commit();
  }
}

/** A minute of samples of series that nobody else has. Values are noise, so that chunks are large. */
function round(number: number, series: number, stepMs: number): void {
  const appender = db.appender();
  const refs = Uint32Array.from({ length: series }, (_, i) =>
    appender.series(named('churn', { pod: `pod-${number}-${i}`, node: `node-${i % 50}` })),
  );
  for (let t = 0; t < MINUTE_MS; t += stepMs) {
    const values = Float64Array.from(refs, (ref) => Math.sin(ref * (t + 1)) * 1e6);
    expect(appender.appendBatch(refs, values, series, EPOCH_MS + number * MINUTE_MS + t)).toBe(series);
    appender.commit();
  }
}

function headFiles(): string[] {
  return readdirSync(join(sandbox.dir, 'chunks_head'));
}

describe('churn', () => {
  async function check(oneRound: (number: number) => void, series: number): Promise<void> {
    const memory: number[] = [];
    for (let number = 0; number < 8; number++) {
      oneRound(number);
      await db.maintain();
      const metrics = db.collect();
      expect(metrics['prometheus_tsdb_head_series']).toBeLessThanOrEqual(2 * series);
      memory.push(metrics['flotilla_tsdb_head_kernel_bytes']! + metrics['flotilla_tsdb_head_chunk_bytes']!);
    }
    expect(Math.max(...memory.slice(3))).toBeLessThan(memory[3]! * 1.01);
    expect(db.collect()['prometheus_tsdb_symbol_table_size_bytes']).toBeLessThan(100 * SERIES);
  }

  test('of all series gives their memory back: after three rounds it stays as it is', async () => {
    await check((number) => round(number, SERIES, 10_000), SERIES);
  });

  test('of all series of histograms does so, too', async () => {
    await check((number) => histogramRound(number, 500), 500);
  });
});

describe('full chunks', () => {
  test('leave memory for files, are read from there, and the files go with the last of them', async () => {
    round(0, 2000, 200);
    const metrics = db.collect();
    expect(metrics['flotilla_tsdb_head_chunk_bytes']).toBe(1 << 20);
    expect(metrics['prometheus_tsdb_head_chunks_storage_size_bytes']).toBeGreaterThan(2e6);
    expect(headFiles()).toEqual(['000001']);
    const all = await read(db);
    expect(all.size).toBe(2000);
    for (const points of all.values()) expect(points).toHaveLength(300);
    round(1, 10, 1000);
    round(2, 10, 1000);
    await db.maintain();
    expect(headFiles()).toEqual(['000001']);
    await db.close();
    expect(headFiles()).toEqual([]);
    db = await sandbox.tsdb(options);
    expect(headFiles()).toEqual([]);
    expect((await read(db)).size).toBe(2020);
  });

  test('that are damaged are left out and counted', async () => {
    round(0, 2000, 200);
    const path = join(sandbox.dir, 'chunks_head', '000001');
    const bytes = readFileSync(path);
    bytes[100]! ^= 1;
    writeFileSync(path, bytes);
    const check = async (packed: boolean, want: number): Promise<void> => {
      const all = await readSet(db, anything, -1e15, 1e15, { packed });
      expect([...all.values()].filter((points) => points.length < 300)).toHaveLength(1);
      expect(all.size).toBe(2000);
      expect(db.collect()['prometheus_tsdb_mmap_chunk_corruptions_total']).toBe(want);
    };
    await check(false, 1);
    await check(true, 2);
  });

  test('that were read from among others are not read again', async () => {
    round(0, 2000, 200);
    const path = join(sandbox.dir, 'chunks_head', '000001');
    const some = [new Matcher('=', 'node', 'node-7')];
    const get = (packed: boolean) => readSet(db, some, -1e15, 1e15, { packed });
    const plain = await get(false);
    expect([...plain.values()].map((points) => points.length)).toEqual(Array.from({ length: 40 }, () => 300));
    expect(await get(true)).toEqual(plain);
    writeFileSync(path, new Uint8Array(readFileSync(path).length));
    expect(await get(true)).toEqual(plain);
    expect(db.collect()['prometheus_tsdb_mmap_chunk_corruptions_total']).toBe(0);
    await readSet(db, anything, -1e15, 1e15, { packed: true });
    expect(db.collect()['prometheus_tsdb_mmap_chunk_corruptions_total']).toBeGreaterThan(1000);
  });

  test('stay in memory while the disk is full', async () => {
    await db.close();
    let isFull = true;
    const io = {
      ...options.io,
      create: (path: string) => {
        if (isFull && path.includes('chunks_head')) throw new Error('ENOSPC');
        return diskIo.create(path);
      },
    };
    db = await sandbox.tsdb({ ...options, io });
    round(0, 2000, 200);
    expect(db.collect()['flotilla_tsdb_head_chunk_bytes']).toBeGreaterThan(2e6);
    expect(db.collect()['flotilla_tsdb_head_chunk_writes_failed_total']).toBeGreaterThan(1);
    isFull = false;
    round(1, 2000, 200);
    for (const points of (await read(db)).values()) expect(points).toHaveLength(300);
    expect(headFiles()).toHaveLength(1);
  });
});
