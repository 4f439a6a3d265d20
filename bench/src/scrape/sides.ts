// The systems under test, each scraping the same targets: a Prometheus, a VictoriaMetrics, and a fleet of one shard with one replica.

import { freePort } from '@flotilla/chassis';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readMetric } from '../process-usage.ts';
import type { Load } from './loads.ts';

/** A running system: the process that scrapes, and where its /metrics is. */
export interface Side {
  readonly pid: number;
  readonly url: string;
  /** Names of its metrics: how many samples it has appended, and how many series it holds. */
  readonly samplesMetric: string;
  readonly seriesMetric: string;
  /** Where its query API is. */
  readonly queryUrl: string;
  stop(): Promise<void>;
}

/** Of Prometheus, and of what has its metrics. */
const headMetrics = {
  samplesMetric: 'prometheus_tsdb_head_samples_appended_total',
  seriesMetric: 'prometheus_tsdb_head_series',
};

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const startTimeoutMs = 180_000;

export async function startPrometheus(
  binary: string,
  load: Load,
  addresses: readonly string[],
): Promise<Side> {
  const { folder, config } = writePrometheusConfig(load, addresses);
  const port = await freePort();
  const listen = `--web.listen-address=127.0.0.1:${port}`;
  const child = spawn(
    binary,
    [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`, listen],
    { stdio: 'ignore' },
  );
  const url = `http://127.0.0.1:${port}`;
  await ready(url, child);
  return { pid: child.pid!, url, queryUrl: url, ...headMetrics, stop: () => stop(child, folder) };
}

/** All in one process, as the Prometheus. */
export async function startVictoriaMetrics(
  binary: string,
  load: Load,
  addresses: readonly string[],
): Promise<Side> {
  const { folder, config } = writePrometheusConfig(load, addresses);
  const listen = `127.0.0.1:${await freePort()}`;
  const args = [
    `-promscrape.config=${config}`,
    // `enable_compression` has another name there.
    '-promscrape.config.strictParse=false',
    `-promscrape.disableCompression=${!load.gzip}`,
    `-storageDataPath=${join(folder, 'data')}`,
    `-httpListenAddr=${listen}`,
  ];
  const child = spawn(binary, args, { stdio: 'ignore' });
  const url = `http://${listen}`;
  await ready(url, child, '/health');
  const metrics = {
    samplesMetric: 'vm_promscrape_scraped_samples_sum',
    seriesMetric: 'vm_cache_entries{type="storage/hour_metric_ids"}',
  };
  return { pid: child.pid!, url, queryUrl: url, ...metrics, stop: () => stop(child, folder) };
}

/** Into a folder of its own, where data may be, too. */
function writePrometheusConfig(
  load: Load,
  addresses: readonly string[],
): { readonly folder: string; readonly config: string } {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-bench-'));
  const config = join(folder, 'prometheus.yml');
  writeFileSync(config, prometheusConfig(load, addresses));
  return { folder, config };
}

function prometheusConfig(load: Load, addresses: readonly string[]): string {
  const { intervalSeconds, gzip, tls, native, relabelings } = load;
  const job = {
    job_name: 'load',
    enable_compression: gzip,
    scrape_native_histograms: native,
    ...(tls && { scheme: 'https', tls_config: { insecure_skip_verify: true } }),
    static_configs: [{ targets: addresses }],
    metric_relabel_configs: relabelRules(relabelings).map(({ name, regex, label }) => ({
      source_labels: [name],
      regex,
      target_label: label,
      replacement: '$1',
    })),
  };
  return JSON.stringify({
    global: { scrape_interval: `${intervalSeconds}s`, scrape_timeout: `${intervalSeconds}s` },
    scrape_configs: [job],
  });
}

/** Rules as people have them: each copies a part of a label for some of the metrics. */
function relabelRules(count: number): readonly { name: string; regex: string; label: string }[] {
  return Array.from({ length: count }, (_, i) => ({
    name: i % 2 === 0 ? '__name__' : 'pod',
    regex: i % 2 === 0 ? `kube_pod_status_(phase)_${i}` : `web-${i}([a-z]+)-x7f9c`,
    label: `copied_${i}`,
  }));
}

export async function startFlotilla(load: Load, addresses: readonly string[]): Promise<Side> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-bench-'));
  const [manifests, data] = [join(folder, 'manifests'), join(folder, 'data')];
  mkdirSync(manifests);
  for (const [name, object] of Object.entries(flotillaManifests(load, addresses))) {
    writeFileSync(join(manifests, `${name}.yaml`), JSON.stringify(object));
  }
  const listen = `127.0.0.1:${await freePort()}`;
  const args = [join(repository, 'cli/dist/main.js'), 'up', manifests, '--data', data, '--listen', listen];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  await ready(`http://${listen}`, child);
  const pod = JSON.parse(readFileSync(join(data, 'pods/scraper-main-0-0.yaml'), 'utf8')) as Pod;
  const url = `http://127.0.0.1:${pod.spec.containers[0].ports[0].containerPort}`;
  await ready(url, child);
  const pid = Number(pod.metadata.annotations['flotilla.dev/pid']);
  return { pid, url, queryUrl: `http://${listen}`, ...headMetrics, stop: () => stop(child, folder) };
}

interface Pod {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: {
    readonly containers: readonly [{ readonly ports: readonly [{ readonly containerPort: number }] }];
  };
}

function flotillaManifests(load: Load, addresses: readonly string[]): Record<string, object> {
  const { intervalSeconds, gzip, tls, native, relabelings } = load;
  const interval = `${intervalSeconds}s`;
  return {
    fleet: {
      apiVersion: 'flotilla.dev/v1alpha1',
      kind: 'Fleet',
      metadata: { name: 'main' },
      spec: {
        shards: 1,
        replicas: 1,
        scrapeInterval: interval,
        scrapeTimeout: interval,
        scrapeConfigSelector: {},
        ruler: { replicas: 0 },
      },
    },
    load: {
      apiVersion: 'monitoring.coreos.com/v1alpha1',
      kind: 'ScrapeConfig',
      metadata: { name: 'load' },
      spec: {
        jobName: 'load',
        enableCompression: gzip,
        scrapeNativeHistograms: native,
        ...(tls && { scheme: 'HTTPS', tlsConfig: { insecureSkipVerify: true } }),
        staticConfigs: [{ targets: addresses }],
        ...(relabelings > 0 && {
          metricRelabelings: relabelRules(relabelings).map(({ name, regex, label }) => ({
            sourceLabels: [name],
            regex,
            targetLabel: label,
            replacement: '$1',
          })),
        }),
      },
    },
  };
}

async function ready(url: string, child: ChildProcess, path = '/-/ready'): Promise<void> {
  const deadlineMs = Date.now() + startTimeoutMs;
  for (;;) {
    if (child.exitCode !== null)
      throw new Error(`${child.spawnfile}: exit ${child.exitCode} before it was ready`);
    if (Date.now() > deadlineMs) throw new Error(`${url}: not ready within ${startTimeoutMs} ms`);
    const response = await fetch(`${url}${path}`).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok === true) return;
    await sleep(200);
  }
}

/** Resolves when the head holds all series of the load. */
export async function registered(side: Side, series: number): Promise<void> {
  const deadlineMs = Date.now() + startTimeoutMs;
  // Too busy to answer is no failure yet.
  const read = (): Promise<number> => readMetric(side.url, side.seriesMetric).catch(() => 0);
  while ((await read()) < series) {
    if (Date.now() > deadlineMs)
      throw new Error(`${side.url}: not ${series} series within ${startTimeoutMs} ms`);
    await sleep(500);
  }
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  await closed;
  clearTimeout(killer);
  rmSync(folder, { recursive: true, force: true });
}
