// Proof: we read what Prometheus writes: its folder after a clean stop and after kill -9, and its blocks byte for byte.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { chunksRewritten, Tsdb } from '@flotilla/tsdb';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Exporter, sendText, startExporter } from '../../local/exporter.ts';
import { dumpOfPromtool, ownDump, promtool, PrometheusPeer } from './peer.ts';

const silent = { info() {}, warn() {}, error() {} };

let base: string;
let exporter: Exporter;
let requests = 0;

/** A classic histogram, which Prometheus turns into one with custom buckets; it is reset now and then. */
function body(): string {
  const n = ++requests % 9;
  return [
    '# TYPE test_seconds histogram',
    `test_seconds_bucket{le="0.1"} ${n}`,
    `test_seconds_bucket{le="1"} ${3 * n}`,
    `test_seconds_bucket{le="+Inf"} ${4 * n}`,
    `test_seconds_sum ${n * 1.75}`,
    `test_seconds_count ${4 * n}`,
    '',
  ].join('\n');
}

function scrapeConfigs(port: number): string {
  return `scrape_configs:
  - job_name: self
    scrape_native_histograms: true
    scrape_protocols: [PrometheusProto]
    static_configs: [{targets: ['127.0.0.1:${port}']}]
  - job_name: classic
    convert_classic_histograms_to_nhcb: true
    static_configs: [{targets: ['${exporter.address}']}]
`;
}

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'flotilla-conformance-'));
  exporter = await startExporter((_, response) => sendText(response, body()));
});

afterAll(() => {
  exporter.server.close();
  rmSync(base, { recursive: true, force: true });
});

/** Lets a Prometheus scrape itself for some seconds, with deletions, and stops it; returns its folder. */
async function scraped(
  name: string,
  seconds: number,
  signal: 'SIGTERM' | 'SIGKILL',
  ...flags: string[]
): Promise<string> {
  const dir = join(base, name);
  const peer = await PrometheusPeer.start(dir, scrapeConfigs, ...flags);
  await sleep(seconds * 1000);
  await peer.api('admin/tsdb/delete_series?match[]=go_goroutines', 'POST').catch(() => {}); // 204 has no body.
  if (signal === 'SIGTERM') await peer.api('admin/tsdb/snapshot', 'POST');
  await sleep(1500);
  await peer.stop(signal);
  return dir;
}

async function expectSameDump(dir: string): Promise<void> {
  const theirs = dumpOfPromtool(dir);
  const own = await ownDump(dir);
  expect(own.length).toBeGreaterThan(1000);
  expect(own.some((line) => line.includes('{count:'))).toBe(true);
  const [ours, others] = [new Set(own), new Set(theirs)];
  expect(own.filter((line) => !others.has(line)).slice(0, 5)).toEqual([]);
  expect(theirs.filter((line) => !ours.has(line)).slice(0, 5)).toEqual([]);
  expect(own.length).toBe(theirs.length);
}

test.each([['snappy'], ['zstd']])(
  'a folder after a clean stop, WAL in %s, and its snapshot',
  async (compression) => {
    const dir = await scraped(
      `clean-${compression}`,
      12,
      'SIGTERM',
      `--storage.tsdb.wal-compression-type=${compression}`,
    );
    await expectSameDump(dir);
    const snapshots = join(dir, 'snapshots');
    await expectSameDump(join(snapshots, readdirSync(snapshots)[0]!));
    const before = await ownDump(dir);
    const db = await Tsdb.open({ dir, retentionMs: 1e12, log: silent });
    expect(db.status().corruptions).toEqual([]);
    await db.close();
    expect(await ownDump(dir)).toEqual(before);
  },
  120_000,
);

test('a folder after kill -9', async () => {
  const dir = await scraped('killed', 6, 'SIGKILL');
  const copy = join(base, 'killed-copy');
  cpSync(dir, copy, { recursive: true });
  await expectSameDump(copy);
}, 120_000);

test('every chunk of its blocks is encoded again to the same bytes', async () => {
  const lines: string[] = ['# TYPE m gauge'];
  for (let series = 0; series < 400; series++) {
    for (let i = 0; i <= series; i++) {
      const value = [i, Math.sin(i * series) * 1e6, Math.floor(i / 7), i % 5 === 4 ? 'NaN' : 1e-3 * i][
        series % 4
      ]!;
      const jitter = series % 3 === 0 ? ((i * 7919) % 40) / 1000 : 0;
      lines.push(`m{s="${series}"} ${value} ${1_700_006_400 + i * 15 + jitter}`);
    }
  }
  const text = join(base, 'm.om');
  writeFileSync(text, [...lines, '# EOF', ''].join('\n'));
  const imported = join(base, 'imported');
  mkdirSync(imported);
  promtool('tsdb', 'create-blocks-from', 'openmetrics', text, imported);
  const scrapedDir = join(base, 'clean-snappy', 'snapshots');
  for (const dir of [imported, join(scrapedDir, readdirSync(scrapedDir)[0]!)]) {
    const { chunks, different } = await chunksRewritten(dir);
    expect(chunks).toBeGreaterThan(500);
    expect(different).toEqual([]);
  }
}, 60_000);
