// Proof: promtool and Prometheus read what we write: blocks of all levels, WAL, every kind of chunk, deletions.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bucketsOfSpans, FloatHistogram, Labels, Matcher, writeStale } from '@flotilla/model';
import { type NativeHistogram, nativeOf, staleHistogram, Tsdb } from '@flotilla/tsdb';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dumpOfPromtool, ownDump, promtool, PrometheusPeer } from './peer.ts';

const HOUR_MS = 3_600_000;
const STEP_MS = 15_000;
const STEPS = (7 * HOUR_MS) / STEP_MS;
/** Recent, so that Prometheus's own retention and head let it be; a multiple of two hours. */
const START_MS = Math.floor(Date.now() / (2 * HOUR_MS)) * 2 * HOUR_MS - 8 * HOUR_MS;
const silent = { info() {}, warn() {}, error() {} };

let base: string;
let dir: string;
let db: Tsdb;

function histogram(n: number, isFloat: boolean, schema: number): NativeHistogram {
  const buckets = 3 + Math.floor(n / 200);
  const counts = Array.from({ length: buckets }, (_, i) => (n % 300) * (i + 1) + (isFloat ? 0.25 : 0));
  const isCustom = schema === -53;
  const fields = {
    schema,
    count: counts.reduce((a, b) => a + b, 0) + 1,
    sum: n * 1.5,
    zeroThreshold: isCustom ? 0 : 0.001,
    zeroCount: isCustom ? 0 : 1,
    positive: bucketsOfSpans([{ offset: isCustom ? 0 : -3, length: buckets }], counts),
    customBounds: isCustom ? Array.from({ length: buckets }, (_, i) => i + 0.125) : [],
  };
  return nativeOf(new FloatHistogram(fields), isFloat);
}

function named(name: string, more: Record<string, string> = {}): Labels {
  return Labels.fromRecord({ __name__: name, ...more });
}

interface Vector {
  readonly result: readonly { readonly value: readonly [number, string] }[];
}

/** Samples of a series in a dump, without stale markers of histograms. */
function countOf(dump: readonly string[], name: string): number {
  return dump.filter((line) => line.startsWith(`{__name__="${name}"}`) && !line.includes('sum:NaN')).length;
}

/** One transaction a step, with a series of each kind. */
function fill(from: number, to: number): void {
  const value = new Float64Array(1);
  const ref = new Uint32Array(1);
  for (let n = from; n < to; n++) {
    const timeMs = START_MS + n * STEP_MS;
    const appender = db.appender();
    const put = (labels: Labels, t: number, v: number, isStale = false): void => {
      ref[0] = appender.series(labels);
      value[0] = v;
      if (isStale) writeStale(value, 0);
      appender.appendBatch(ref, value, 1, t);
    };
    put(named('counter'), timeMs, n);
    put(named('jitter', { x: 'ä"\\\n' }), timeMs + ((n * 7919) % 50), Math.sin(n) * 1e9);
    put(named('constant'), timeMs, 42);
    put(named('odd'), timeMs, [NaN, Infinity, -Infinity, -0, 1e-300, 1e300][n % 6]!);
    put(named('stale'), timeMs, n, n % 10 === 9);
    if (n % 480 === 3) put(named('single', { n: `${n}` }), timeMs, n);
    put(named(`churn_${Math.floor(n / 100)}`), timeMs, n);
    for (const isFloat of [false, true]) {
      for (const [name, schema] of [
        ['exponential', 2],
        ['custom', -53],
      ] as const) {
        const sample = n % 97 === 96 ? staleHistogram(isFloat) : histogram(n, isFloat, schema);
        appender.appendHistogram(appender.series(named(`${name}_${isFloat}`)), timeMs, sample);
      }
    }
    appender.commit();
  }
}

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'flotilla-conformance-'));
  dir = join(base, 'ours');
  db = await Tsdb.open({ dir, retentionMs: 100 * 365 * 24 * HOUR_MS, log: silent });
  fill(0, STEPS - 480);
  await db.maintain();
  await db.deleteSeries(
    [new Matcher('=', '__name__', 'counter')],
    START_MS + HOUR_MS,
    START_MS + 2.5 * HOUR_MS,
  );
  fill(STEPS - 480, STEPS);
  await db.maintain();
  await db.deleteSeries(
    [new Matcher('=', '__name__', 'exponential_false')],
    START_MS + 6.5 * HOUR_MS,
    START_MS + 6.6 * HOUR_MS,
  );
  await db.close();
}, 120_000);

afterAll(() => rmSync(base, { recursive: true, force: true }));

test('promtool dumps the same samples as we', async () => {
  const own = await ownDump(dir);
  expect(own.length).toBeGreaterThan(15_000);
  expect(readdirSync(dir).filter((name) => name.length === 26).length).toBeGreaterThan(1);
  const theirs = dumpOfPromtool(dir);
  expect(theirs).toHaveLength(own.length);
  expect(theirs.filter((line, i) => line !== own[i])).toEqual([]);
});

test('promtool lists and analyzes our blocks', () => {
  const lines = promtool('tsdb', 'list', dir).trimEnd().split('\n').slice(1);
  for (const line of lines) {
    const [ulid] = line.split(' ');
    const { stats } = JSON.parse(readFileSync(join(dir, ulid!, 'meta.json'), 'utf8'));
    expect(line.split(/ {2,}/).slice(4, 7).map(Number)).toEqual([
      stats.numSamples,
      stats.numChunks,
      stats.numSeries,
    ]);
    expect(promtool('tsdb', 'analyze', dir, ulid!)).toContain(`Total Series: ${stats.numSeries}`);
  }
});

test('Prometheus starts on our folder, answers the same, and we read what it leaves', async () => {
  const copy = join(base, 'copy');
  cpSync(dir, copy, { recursive: true });
  const before = await ownDump(copy);
  const peer = await PrometheusPeer.start(
    copy,
    () => 'scrape_configs: []\n',
    '--enable-feature=native-histograms',
  );
  try {
    const end = (START_MS + (STEPS - 1) * STEP_MS) / 1000;
    for (const name of [
      'counter',
      'constant',
      'odd',
      'exponential_false',
      'exponential_true',
      'custom_false',
    ]) {
      const { result } = (await peer.api(`query?query=count_over_time(${name}[8h])&time=${end}`)) as Vector;
      expect([name, Number(result[0]?.value[1])]).toEqual([name, countOf(before, name)]);
    }
    const { result } = (await peer.api(`query?query=counter&time=${end}`)) as Vector;
    expect(result[0]!.value[1]).toBe(String(STEPS - 1));
    const status = (await peer.api('status/tsdb')) as { headStats: { numSeries: number } };
    expect(status.headStats.numSeries).toBeGreaterThan(5);
  } finally {
    await peer.stop('SIGTERM');
  }
  const after = await ownDump(copy);
  expect(after.filter((line, i) => line !== before[i])).toEqual([]);
  expect(after).toHaveLength(before.length);
}, 120_000);
