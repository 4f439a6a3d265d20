// Proof: Thanos inspects and verifies a bucket of our blocks, of all levels, and finds nothing wrong. FLOTILLA_THANOS is set by
// scripts/conformance.mjs.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bucketsOfSpans, FloatHistogram, Labels, Matcher } from '@flotilla/model';
import { nativeOf, Tsdb } from '@flotilla/tsdb';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const HOUR_MS = 3_600_000;
const STEP_MS = 60_000;
const STEPS = (20 * HOUR_MS) / STEP_MS;
const START_MS = Math.floor(Date.now() / (2 * HOUR_MS)) * 2 * HOUR_MS - 20 * HOUR_MS;
const silent = { info() {}, warn() {}, error() {} };

let base: string;
let bucket: string;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'flotilla-conformance-'));
  bucket = join(base, 'bucket');
  const dir = join(base, 'ours');
  const db = await Tsdb.open({ dir, retentionMs: 1e12, log: silent });
  const schedule = { targetId: 1, intervalMs: STEP_MS, phaseMs: 0 };
  for (let n = 0; n < STEPS; n++) {
    const appender = db.appender();
    const timeMs = START_MS + n * STEP_MS;
    for (const name of ['a', 'b', 'ü.x', `churn_${Math.floor(n / 90)}`])
      appender.append(appender.series(Labels.fromRecord({ __name__: name, job: 'j' }), schedule), timeMs, n);
    const positive = bucketsOfSpans([{ offset: 0, length: 2 }], [n, 2 * n]);
    const histogram = nativeOf(new FloatHistogram({ schema: 1, count: 3 * n, sum: n, positive }), false);
    appender.appendHistogram(appender.series(Labels.fromRecord({ __name__: 'h' })), timeMs, histogram);
    appender.commit();
    if (n % 60 === 59) await db.maintain();
  }
  await db.deleteSeries([new Matcher('=', '__name__', 'b')], START_MS, START_MS + HOUR_MS);
  await db.close();
  for (const ulid of readdirSync(dir).filter((name) => name.length === 26)) upload(join(dir, ulid), ulid);
}, 120_000);

afterAll(() => rmSync(base, { recursive: true, force: true }));

/** As an uploader leaves a block: without tombstones, and with what Thanos wants to know of it in its meta.json. */
function upload(block: string, ulid: string): void {
  const target = join(bucket, ulid);
  cpSync(block, target, { recursive: true });
  rmSync(join(target, 'tombstones'));
  const path = join(target, 'meta.json');
  const meta = JSON.parse(readFileSync(path, 'utf8')) as object;
  const said = {
    version: 1,
    labels: { fleet: 'main', replica: '0' },
    downsample: { resolution: 0 },
    source: 'test',
  };
  writeFileSync(path, JSON.stringify({ ...meta, thanos: said }));
}

function thanos(...args: string[]): string {
  const binary = process.env['FLOTILLA_THANOS'];
  if (binary === undefined) throw new Error('FLOTILLA_THANOS is not set: run `npm run conformance thanos`');
  const store = JSON.stringify({ type: 'FILESYSTEM', config: { directory: bucket } });
  const all = ['tools', 'bucket', ...args, `--objstore.config=${store}`];
  const { status, stdout, stderr } = spawnSync(binary, all, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`thanos ${all.join(' ')}: exit ${status}: ${stderr}`);
  return stdout + stderr;
}

test('inspect shows every block, of several levels, with what our meta.json says', () => {
  const rows = thanos('inspect')
    .split('\n')
    .filter((line) => /^\| *[0-9A-Z]{26}/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const ulids = readdirSync(bucket);
  expect(rows.map(([, ulid]) => ulid).toSorted()).toEqual(ulids.toSorted());
  for (const [, ulid, from, until, , , series, samples, chunks, level] of rows) {
    const meta = JSON.parse(readFileSync(join(bucket, ulid!, 'meta.json'), 'utf8'));
    const { numSeries, numChunks, numSamples } = meta.stats;
    expect([series, samples, chunks, level].map((cell) => Number(cell!.replaceAll(',', '')))).toEqual([
      numSeries,
      numSamples,
      numChunks,
      meta.compaction.level,
    ]);
    expect([Date.parse(from!), Date.parse(until!)].map((ms) => Math.floor(ms / 1000))).toEqual(
      [meta.minTime, meta.maxTime].map((ms: number) => Math.floor(ms / 1000)),
    );
  }
  expect(new Set(rows.map((row) => row[9])).size).toBeGreaterThan(1);
});

test('verify finds no issue', () => {
  const issues = ['index_known_issues', 'overlapped_blocks', 'duplicated_compaction'];
  const log = thanos('verify', ...issues.map((issue) => `--issues=${issue}`));
  expect(log).toContain('verify task completed');
  expect(log.split('\n').filter((line) => /level=(warn|error)|detected/.test(line))).toEqual([]);
});

test('verify finds a damaged index, so that its silence means something', () => {
  const [ulid] = readdirSync(bucket);
  const index = join(bucket, ulid!, 'index');
  const bytes = readFileSync(index);
  writeFileSync(index, bytes.fill(0xff, 200, 260));
  let report = '';
  try {
    report = thanos('verify', '--issues=index_known_issues');
  } catch (error) {
    report = (error as Error).message;
  }
  expect(report).toMatch(/level=(warn|error)|exit 1/);
});
