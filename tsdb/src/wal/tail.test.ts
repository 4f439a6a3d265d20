import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { nativeOf } from '../histogram/native-histogram.ts';
import { parseHistogram } from '@flotilla/model';
import { EPOCH_MS, MINUTE_MS, named, put, Sandbox } from '../testing/sandbox.ts';
import type { Tsdb } from '../tsdb.ts';
import { TailBatch } from './tail-batch.ts';
import type { WalPosition, WalTail } from './tail.ts';

const options = { holdBytesMax: 1 << 30 };
const start: WalPosition = { segment: 0, offset: 0 };

/** `series time value`, of all that a tail reads in slices. */
function drain(tail: WalTail, samplesMax = Infinity, to?: WalPosition): string[] {
  const lines: string[] = [];
  const batch = new TailBatch();
  for (let more = true; more;) {
    batch.clear();
    while (tail.read(batch, samplesMax, to));
    more = batch.size > 0;
    for (let i = 0; i < batch.samples; i++)
      lines.push(
        `${tail.labels(batch.refs[i]!)?.toMetric()} ${batch.timesMs[i]! - EPOCH_MS} ${batch.values[i]}`,
      );
    for (const { ref, timeMs, histogram } of batch.histograms)
      lines.push(`${tail.labels(ref)?.toMetric()} ${timeMs - EPOCH_MS} count ${histogram.count}`);
  }
  return lines;
}

async function withDatabase(run: (db: Tsdb, sandbox: Sandbox) => Promise<void>, walSegmentBytes = 1 << 20) {
  const sandbox = new Sandbox();
  try {
    await run(await sandbox.tsdb({ walSegmentBytes, blockDurationMs: 10 * MINUTE_MS }), sandbox);
  } finally {
    await sandbox.remove();
  }
}

describe('the tail of the WAL', () => {
  test('reads what is committed after it began, and nothing before', () =>
    withDatabase(async (db) => {
      put(db, EPOCH_MS, { a: 1 });
      const tail = db.tail(undefined, options);
      expect(tail.isAtEnd).toBe(true);
      put(db, EPOCH_MS + 1000, { a: 2, b: 3 });
      expect(tail.isAtEnd).toBe(false);
      expect(drain(tail)).toEqual(['a 1000 2', 'b 1000 3']);
      expect(drain(tail)).toEqual([]);
      put(db, EPOCH_MS + 2000, { a: 4 });
      expect(drain(tail)).toEqual(['a 2000 4']);
      tail.close();
    }));

  test('reads histograms and the bits of stale markers', () =>
    withDatabase(async (db) => {
      const tail = db.tail(undefined, options);
      const appender = db.appender();
      const histogram = nativeOf(parseHistogram('schema:1 count:4 sum:5 buckets:[1 2 1]').histogram, false);
      appender.appendHistogram(appender.series(named('h')), EPOCH_MS, histogram);
      appender.append(appender.series(named('a')), EPOCH_MS, 1);
      appender.commit();
      appender.appendStale([appender.series(named('a'))], EPOCH_MS + 5);
      appender.commit();
      const batch = new TailBatch();
      while (tail.read(batch, 100));
      expect(batch.histograms[0]?.histogram).toEqual({ ...histogram, hint: expect.anything() });
      const words = new Uint32Array(batch.values.buffer);
      expect([words[2], words[3]]).toEqual([2, 0x7ff00000]);
      tail.close();
    }));

  test('gives every sample once, in order, however it is cut and wherever it resumes', async () => {
    const scrape = fc.record({ series: fc.integer({ min: 1, max: 400 }), stops: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(scrape, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 900 }),
        (scrapes, slice) =>
          withDatabase(async (first, sandbox) => {
            let db = first;
            let tail = db.tail(start, options);
            const want: string[] = [];
            const got: string[] = [];
            for (const [i, { series, stops }] of scrapes.entries()) {
              const names = Array.from({ length: series }, (_, n) => `s${n}`);
              put(db, EPOCH_MS + i * 1000, Object.fromEntries(names.map((name, n) => [name, i + n])));
              want.push(...names.map((name, n) => `${name} ${i * 1000} ${i + n}`));
              if (!stops) continue;
              const batch = new TailBatch();
              while (tail.read(batch, slice));
              const to = tail.position;
              tail.close();
              tail = db.tail(start, options);
              got.splice(0, got.length, ...drain(tail, 1 + slice, to));
              expect(tail.position).toEqual(to);
              await db.close();
              db = await sandbox.tsdb({ walSegmentBytes: 10_000, blockDurationMs: 10 * MINUTE_MS });
              tail = db.tail(to, options);
            }
            got.push(...drain(tail, slice));
            expect(got).toEqual(want);
          }, 10_000),
      ),
      { numRuns: 8 },
    );
  });

  test('holds the WAL until it is delivered, then lets it go', () =>
    withDatabase(async (db) => {
      const tail = db.tail(start, options);
      for (let i = 0; i < 40; i++) put(db, EPOCH_MS + i * MINUTE_MS, { a: i, [`b${i}`]: i });
      await db.maintain();
      expect(db.collect()['prometheus_tsdb_checkpoint_creations_total']).toBe(0);
      const batch = new TailBatch();
      while (tail.read(batch, 1e6));
      expect(batch.samples).toBe(80);
      const missing = new Set([...batch.seriesRefs()].filter((ref) => tail.labels(ref) === undefined));
      expect(missing.size).toBeGreaterThan(10); // They left the head: the log still has them.
      await tail.findSeries(missing);
      expect(
        [...missing].map((ref) => tail.labels(ref)?.get('__name__')).every((name) => name?.startsWith('b')),
      ).toBe(true);
      tail.release(tail.position, batch.timesMs[79]!);
      for (let i = 40; i < 80; i++) put(db, EPOCH_MS + i * MINUTE_MS, { a: i });
      while (tail.read(batch, 1e6));
      tail.release(tail.position, EPOCH_MS + 79 * MINUTE_MS);
      await db.maintain();
      expect(db.collect()['prometheus_tsdb_checkpoint_creations_total']).toBe(1);
      expect(tail.lostSamples).toBe(0);
      tail.close();
    }, 300));

  test('counts what goes unread when the bound is reached, and goes on behind it', () =>
    withDatabase(async (db) => {
      const tail = db.tail(start, { holdBytesMax: 1000 });
      for (let i = 0; i < 40; i++) put(db, EPOCH_MS + i * MINUTE_MS, { a: i });
      await db.maintain();
      const rest = drain(tail).length;
      expect(tail.lostSamples).toBeGreaterThan(10);
      expect(tail.lostSamples + rest).toBe(40);
      expect(tail.gaps).toBe(0);
      tail.close();
    }, 300));

  test('begins anew where there is no such position', () =>
    withDatabase(async (db) => {
      put(db, EPOCH_MS, { a: 1 });
      const tail = db.tail({ segment: 77, offset: 5 }, options);
      expect(drain(tail)).toEqual(['a 0 1']);
      expect(tail.gaps).toBe(1);
      tail.close();
    }));
});
