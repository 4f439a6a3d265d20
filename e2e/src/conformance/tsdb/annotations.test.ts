// Proof: Prometheus reads exemplars and metadata in our WAL, and we its exemplars. Metadata it writes none: 3.15 does not pass its
// feature metadata-wal-records on to the database.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { formatSampleValue, Labels, Matcher } from '@flotilla/model';
import { Tsdb } from '@flotilla/tsdb';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startExporter } from '../../local/exporter.ts';
import { PrometheusPeer } from './peer.ts';

const silent = { info() {}, warn() {}, error() {} };
const features = '--enable-feature=exemplar-storage,metadata-wal-records,native-histograms';
const everything = `query_exemplars?query=${encodeURIComponent('{__name__=~".+"}')}`;
const help = { type: 'counter', help: 'Requests,\nall of them.', unit: '' };

let base: string;

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'flotilla-conformance-'));
});

afterAll(() => rmSync(base, { recursive: true, force: true }));

function open(dir: string): Promise<Tsdb> {
  return Tsdb.open({ dir, retentionMs: 1e12, log: silent, metadataRecords: true });
}

/** As /api/v1/query_exemplars. */
async function exemplarsOf(db: Tsdb): Promise<unknown[]> {
  const all = await db.selectExemplars([[new Matcher('!=', '__name__', '')]], -1e15, 1e15);
  return all.map(({ labels, exemplars }) => ({
    seriesLabels: labels.toRecord(),
    exemplars: exemplars.map((one) => ({
      labels: one.labels.toRecord(),
      value: formatSampleValue(one.value),
      timestamp: one.timeMs / 1000,
    })),
  }));
}

test('Prometheus answers with our exemplars, and both are still there after it', async () => {
  const dir = join(base, 'ours');
  let db = await open(dir);
  const nowMs = Date.now() - 600_000;
  for (let n = 0; n < 300; n++) {
    const appender = db.appender();
    for (const name of ['a', 'b', 'ü.x']) {
      const ref = appender.series(Labels.fromRecord({ __name__: name, job: 'j' }));
      appender.append(ref, nowMs + n * 1000, n);
      appender.setMetadata(ref, { ...help, unit: n < 100 ? '' : 's' });
      const labels = Labels.fromRecord(n % 7 === 0 ? {} : { trace_id: `${name}"${n}`, span: 'ä' });
      const value = [n, NaN, Infinity, -0, 1e-9][n % 5]!;
      const hasTimestamp = n % 2 === 0;
      const timeMs = nowMs + n * 1000 + (hasTimestamp ? 137 : 0);
      if (n % 3 === 0)
        expect(appender.appendExemplar(ref, { labels, value, timeMs, hasTimestamp })).toBe('ok');
    }
    appender.commit();
  }
  const own = await exemplarsOf(db);
  await db.close();
  const peer = await PrometheusPeer.start(dir, () => 'scrape_configs: []\n', features);
  try {
    expect(await peer.api(everything)).toEqual(own);
    const metrics = await (await fetch(`${peer.url}/metrics`)).text();
    expect(metrics).toContain('prometheus_tsdb_wal_corruptions_total 0');
    expect(metrics).not.toMatch(/prometheus_tsdb_wal_replay_unknown_refs_total{.*} [1-9]/);
  } finally {
    await peer.stop('SIGTERM');
  }
  db = await open(dir);
  expect(await exemplarsOf(db)).toEqual(own);
  expect(own).toHaveLength(3);
  expect(db.metadataOf(Labels.fromRecord({ __name__: 'a', job: 'j' }))).toEqual({ ...help, unit: 's' });
  await db.close();
}, 120_000);

test('we answer with the exemplars of a Prometheus that was killed', async () => {
  let requests = 0;
  const exporter = await startExporter((_, response) => {
    const n = ++requests;
    response.setHeader('content-type', 'application/openmetrics-text; version=1.0.0; charset=utf-8');
    response.end(`# TYPE c counter
c_total ${n} # {trace="${n}"} 0.5 ${Date.now() / 1000}
# TYPE h histogram
# UNIT h_seconds seconds
h_bucket{le="1"} ${n} # {trace="${Math.floor(n / 3)}"} 0.5
h_bucket{le="+Inf"} ${n}
h_count ${n}
h_sum ${n}
# EOF
`);
  });
  const dir = join(base, 'theirs');
  const configs = (): string =>
    `scrape_configs:\n  - job_name: om\n    static_configs: [{targets: ['${exporter.address}']}]\n`;
  const peer = await PrometheusPeer.start(dir, configs, features);
  await sleep(8000);
  exporter.server.close();
  exporter.server.closeAllConnections();
  await sleep(1500);
  const theirs = await peer.api(everything);
  await peer.stop('SIGKILL');
  const copy = join(base, 'theirs-copy');
  cpSync(dir, copy, { recursive: true });
  const db = await open(copy);
  const own = await exemplarsOf(db);
  expect(own).toEqual(theirs);
  expect(own.length).toBeGreaterThan(1);
  await db.close();
}, 120_000);
