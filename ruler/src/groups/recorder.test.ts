import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createLogger } from '@flotilla/chassis';
import { BadRequest, bucketsOfSpans, FloatHistogram, Labels, Matcher } from '@flotilla/model';
import { decodeHistogramChunk, floatHistogramOf, Tsdb } from '@flotilla/tsdb';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Recorder } from './recorder.ts';

const slotMs = 1000;
const startMs = Math.floor(Date.now() / slotMs) * slotMs - 10 * slotMs;
const log = createLogger({ name: 'test', write: () => undefined });
const labels = Labels.fromRecord({ __name__: 'job:latency:rate', job: 'app' });
let dir: string;
let tsdb: Tsdb;
let recorder: Recorder;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'flotilla-recorder-'));
  tsdb = await Tsdb.open({ dir, retentionMs: 1e9, log });
  recorder = new Recorder(tsdb, { targetId: 1, intervalMs: slotMs, phaseMs: 0 });
});

afterEach(async () => {
  await tsdb.close();
  rmSync(dir, { recursive: true });
});

function rate(count: number, hint: 'gauge' | 'unknown' = 'gauge'): FloatHistogram {
  const positive = bucketsOfSpans([{ offset: -2, length: 1 }], [count]);
  return new FloatHistogram({ hint, schema: 4, count, sum: count / 3, zeroThreshold: 1e-128, positive });
}

/** Times and histograms of the series that the recorder wrote; undefined: a stale marker. */
async function written(): Promise<[number, FloatHistogram | undefined][]> {
  const set = await tsdb.select([new Matcher('=', '__name__', 'job:latency:rate')], 0, 2e15);
  const samples: [number, FloatHistogram | undefined][] = [];
  while (set.next()) {
    for (const { encoding, ...chunk } of set.chunks) {
      expect(encoding).toBe(3);
      for (const { timeMs, histogram } of decodeHistogramChunk({ ...chunk, encoding: 3 }))
        samples.push([
          (timeMs - startMs) / slotMs,
          histogram.isStale ? undefined : floatHistogramOf(histogram),
        ]);
    }
  }
  set.close();
  return samples;
}

test('a histogram is recorded as it is, and its series ends with a stale histogram', async () => {
  recorder.record([{ labels, value: 0, histogram: rate(1.5) }], startMs);
  recorder.record([{ labels, value: 0, histogram: rate(2.5) }], startMs + slotMs);
  recorder.record([], startMs + 2 * slotMs);
  recorder.record([], startMs + 3 * slotMs);
  expect(await written()).toEqual([
    [0, rate(1.5)],
    [1, rate(2.5)],
    [2, undefined],
  ]);
});

test('a histogram that the database refuses is named, and the others are written', async () => {
  const bad = Labels.fromRecord({ __name__: 'job:latency:rate', job: 'bad' });
  const results = [
    { labels: bad, value: 0, histogram: rate(-1, 'unknown') },
    { labels, value: 0, histogram: rate(1) },
  ];
  expect(() => recorder.record(results, startMs)).toThrow(BadRequest);
  expect(() => recorder.record(results, startMs + slotMs)).toThrow(/job="bad".*a count that is none/);
  expect((await written()).map(([slot]) => slot)).toEqual([0, 1]);
});
