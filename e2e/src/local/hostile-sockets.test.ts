// Proof: forty servers that do what a socket can do to a scraper, beside ten good ones: each costs its own target only, and that
// target says what was wrong. And a thousand that hang, beside a thousand good ones.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ApiTarget, eventually, LocalFleet } from './fleet.ts';
import { fleetManifest, scrapeConfig } from './manifests.ts';
import { missingSlots } from './slots.ts';

const residentLimitMiB = 640;
const deadline = /context deadline exceeded/;
const tooLarge = /body size limit exceeded/;
const cut = /EOF|reset/;

/** What lastError must say, by the name of the server. */
const reasons: Readonly<Record<string, RegExp>> = {
  'endless-status': /head of more than 65536 bytes/,
  'endless-header': /head of more than 65536 bytes/,
  'endless-header-value': /head of more than 65536 bytes/,
  'endless-continue': /too many 1xx responses/,
  'endless-body': tooLarge,
  'endless-chunks': /more than 262144 chunks/,
  'endless-error': /server returned HTTP status 500 Internal Server Error/,
  'gzip-bomb': tooLarge,
  'gzip-garbage': /gzip: invalid/,
  'gzip-cut': /unexpected EOF/,
  'slow-header': deadline,
  'slow-body': deadline,
  'length-too-long': cut,
  'length-too-short': /expected|parsing|value/,
  'length-twice': /content-length/i,
  'length-negative': /content-length/i,
  'length-huge': /content-length|body size/i,
  'chunk-size-wrong': /chunk/i,
  'chunk-size-huge': /chunk|body size/i,
  'chunk-end-wrong': /no newline behind a chunk/,
  'chunks-cut': cut,
  'reset-mid-body': cut,
  'reset-at-once': cut,
  'close-at-once': cut,
  'no-http': /malformed HTTP response.*SSH/,
  'wrong-version': /malformed HTTP|version/,
  'redirect-to-file': /unsupported redirect to "file:/,
  'redirect-loop': /stopped after 10 redirects/,
  'redirect-nowhere': /no-such-host\.invalid/,
  'million-series': /sample limit exceeded/,
  'label-100mb': tooLarge,
  'label-3mb': /line too long: 3145737 bytes/,
  'nul-bytes': /invalid|expected|parsing/,
  'bad-utf8': /invalid.*utf-?8/i,
  'html-page': /unsupported Content-Type "text\/html"/,
  'no-content-type': /blank Content-Type/,
  'says-nothing': deadline,
  'nobody-there': /connection refused/,
  'unknown-host': /lookup no-such-host\.invalid/,
  'tls-plain': /tls: first record does not look like a TLS handshake/,
  'tls-silent': deadline,
  'tls-reset': cut,
  'tls-garbage': /tls: first record/,
  'tls-no-certificate': /tls: .*handshake failure/,
};

interface Ports {
  readonly good: readonly number[];
  readonly silent: number;
  readonly hostile: Readonly<Record<string, number>>;
}

let servers: ChildProcess;
let ports: Ports;

beforeAll(async () => {
  const main = fileURLToPath(new URL('../../dist/local/hostile-servers.js', import.meta.url));
  servers = spawn(process.execPath, [main], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(servers.stdout!.setEncoding('utf8'), 'data')) as [string];
  ports = JSON.parse(line) as Ports;
}, 30_000);

afterAll(async () => {
  const exit = once(servers, 'exit');
  servers.kill('SIGKILL');
  await exit;
});

function addressOf(name: string): string {
  if (name === 'unknown-host') return 'no-such-host.invalid:80';
  return `127.0.0.1:${name === 'nobody-there' ? 1 : ports.hostile[name]}`;
}

function residentMiB(fleet: LocalFleet): number {
  const status = readFileSync(`/proc/${fleet.pid('scraper-main-0-0')}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

/** Slots of one second that the good targets lack of the last seconds. */
async function missingOf(fleet: LocalFleet, expr: string, seconds: number, count: number): Promise<number> {
  const endMs = Date.now() - 2000;
  const answer = await fleet.query(`${expr}[${seconds}s]`, endMs);
  expect(answer.body.error).toBeUndefined();
  expect(answer.body.data.result).toHaveLength(count);
  const missing = answer.body.data.result.map(
    ({ values }) => missingSlots(values ?? [], endMs - seconds * 1000, endMs).length,
  );
  return missing.reduce((sum, one) => sum + one, 0);
}

describe('forty hostile servers', () => {
  let fleet: LocalFleet;

  beforeAll(async () => {
    const hostile = Object.keys(reasons).map((name) => {
      const scheme = name.startsWith('tls-') ? '  scheme: HTTPS\n' : '';
      const times = '  scrapeInterval: 5s\n  scrapeTimeout: 2s\n  sampleLimit: 5000\n  bodySizeLimit: 16MB\n';
      return scrapeConfig(name, [addressOf(name)], times + scheme);
    });
    fleet = await LocalFleet.start({
      'fleet.yaml': fleetManifest({ shards: 1, replicas: 1, rulers: 0 }),
      'good.yaml': scrapeConfig(
        'good',
        ports.good.map((port) => `127.0.0.1:${port}`),
      ),
      'hostile.yaml': hostile.join('---\n'),
    });
  }, 60_000);

  afterAll(() => fleet.remove(), 30_000);

  test('are down with the reason; the good ones have every slot; memory is bounded', async () => {
    expect(Object.keys(ports.hostile).filter((name) => reasons[name] === undefined)).toEqual([]);
    const bad = (targets: readonly ApiTarget[]): readonly ApiTarget[] =>
      targets.filter(({ labels }) => labels['job'] !== 'good');
    await eventually('every target was tried', 30_000, async () => {
      const targets = await fleet.targets();
      const untried = [...Object.keys(reasons), 'good'].filter(
        (name) => !targets.some(({ labels, health }) => labels['job'] === name && health !== 'unknown'),
      );
      if (untried.length > 0) throw new Error(`${untried.join(', ')}\n${fleet.logTail()}`);
      return true;
    });
    await sleep(20_000);
    const targets = await fleet.targets();
    const wrong = bad(targets).flatMap(({ labels, health, lastError }) => {
      const reason = reasons[labels['job']!]!;
      const isReadable = lastError.length < 400 && !/undefined|\[object|\n\s+at /.test(lastError);
      return health === 'down' && reason.test(lastError) && isReadable ? [] : [[labels['job'], lastError]];
    });
    expect(wrong).toEqual([]);
    expect(await missingOf(fleet, 'good_total', 18, ports.good.length)).toBe(0);
    const resident = residentMiB(fleet);
    console.log(
      `hostile: ${bad(targets).length} servers, scraper's peak of resident memory ${resident.toFixed(0)} MiB`,
    );
    expect(resident).toBeLessThan(residentLimitMiB);
  }, 80_000);
});

/** Addresses of 127.0.0.0/8, so that each target is a host of its own. */
function hosts(prefix: string, port: number): string[] {
  return Array.from({ length: 1000 }, (_, i) => `${prefix}.${i >> 8}.${i & 255}:${port}`);
}

/** Quantiles of the seconds between the starts of a target's scrapes. */
async function intervalsOf(fleet: LocalFleet): Promise<string> {
  const { topology } = await fleet.status();
  const answer = await fetch(`${topology.stores[0]!.url}/metrics`);
  const lines = (await answer.text()).split('\n');
  return lines.filter((line) => line.startsWith('prometheus_target_interval_length_seconds{')).join(', ');
}

describe('a thousand targets that hang, beside a thousand good ones', () => {
  let fleet: LocalFleet;

  beforeAll(async () => {
    fleet = await LocalFleet.start({
      'fleet.yaml': fleetManifest({ shards: 1, replicas: 1, rulers: 0 }).replace(
        'scrapeInterval: 1s',
        'scrapeInterval: 5s',
      ),
      'good.yaml': scrapeConfig('good', hosts('127.1', ports.good[0]!)),
      'hanging.yaml': scrapeConfig('hanging', hosts('127.2', ports.silent)),
    });
  }, 60_000);

  afterAll(() => fleet.remove(), 30_000);

  test('each good one has every slot of twenty seconds', async () => {
    const up = await eventually('all were scraped', 40_000, async () => {
      const { body } = await fleet.query('count by (job) (up) == 1000');
      return body.data.result.length === 2 ? body : undefined;
    });
    expect(up.data.result.map(({ metric }) => metric['job'])).toEqual(['good', 'hanging']);
    const startMs = Date.now();
    await sleep(22_000);
    // Times of samples are those of slots, so 20 seconds have exactly four of them.
    const ask = async (expr: string): Promise<unknown> => {
      const { body } = await fleet.query(expr, startMs + 20_000);
      return body.data.result.map(({ metric, value }) => [...Object.values(metric), value?.[1]]);
    };
    const slowest = 'max by (job) (max_over_time(scrape_duration_seconds[20s]))';
    console.log(`hanging: slowest scrapes ${JSON.stringify(await ask(slowest))}`);
    console.log(
      `hanging: slots ${JSON.stringify(await ask('count_values("slots", count_over_time(up[20s])) by (job)'))}`,
    );
    console.log(`hanging: from scrape to scrape ${await intervalsOf(fleet)}`);
    expect(await ask('count by (job) (count_over_time(up{job="good"}[20s]) == 4)')).toEqual([
      ['good', '1000'],
    ]);
    expect(await ask('avg by (job) (avg_over_time(up[20s]))')).toEqual([
      ['good', '1'],
      ['hanging', '0'],
    ]);
  }, 90_000);
});
