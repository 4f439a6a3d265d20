// The oracle: the real Prometheus operator makes a configuration of the objects of the API server, a real Prometheus runs it.

import { freePort } from '@flotilla/chassis';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { load } from 'js-yaml';
import { adaptConfig } from './adapt-config.ts';
import type { PrometheusYaml, ScrapeConfigYaml } from './adapt-config.ts';
import type { ApiServer } from './api-server.ts';
import type { ChildProcesses } from './child-processes.ts';
import type { KubeObject } from './kube-client.ts';

const configTimeoutMs = 60_000;
const startTimeoutMs = 30_000;
const requestTimeoutMs = 60_000;
/** Of the Prometheus object. */
export const oracleNamespace = 'monitoring';
export const oracleName = 'oracle';

/** As kube-prometheus has it. */
const everything = {
  serviceMonitorSelector: {},
  serviceMonitorNamespaceSelector: {},
  podMonitorSelector: {},
  podMonitorNamespaceSelector: {},
  probeSelector: {},
  probeNamespaceSelector: {},
  scrapeConfigSelector: {},
  scrapeConfigNamespaceSelector: {},
  ruleSelector: {},
  ruleNamespaceSelector: {},
};

/** The name of a phase comes back in what the operator writes for it. A selector that is null is left out: it selects nothing. */
export function prometheusObject(phase: string, settings: Readonly<Record<string, unknown>>): KubeObject {
  const own = { version: 'v3.15.0', replicas: 1, shards: 1, serviceDiscoveryRole: 'EndpointSlice' };
  const spec = Object.entries({ ...own, ...everything, ...settings, externalLabels: { phase } });
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'Prometheus',
    metadata: { name: oracleName, namespace: oracleNamespace },
    spec: Object.fromEntries(spec.filter(([, value]) => value !== null)),
  };
}

/** A target of /api/v1/targets. */
export interface ActiveTarget {
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly discoveredLabels: Readonly<Record<string, string>>;
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
}

export interface PrometheusTargets {
  readonly activeTargets: readonly ActiveTarget[];
  readonly droppedTargetCounts: Readonly<Record<string, number>>;
}

/** Starts the operator, with statuses of monitors on. */
export async function startPrometheusOperator(
  processes: ChildProcesses,
  binary: string,
  { url, caFile, certFile, keyFile }: ApiServer,
): Promise<void> {
  const port = await freePort();
  processes.start('prometheus-operator', binary, [
    ...[`--apiserver=${url}`, `--ca-file=${caFile}`, `--cert-file=${certFile}`, `--key-file=${keyFile}`],
    ...[`--web.listen-address=127.0.0.1:${port}`, '--kubelet-endpoints=false', '--log-level=info'],
    '--feature-gates=StatusForConfigurationResources=true',
  ]);
}

/** The configuration that it wrote for this phase; fails when there is none in time. */
export function writtenConfig(
  processes: ChildProcesses,
  { client }: ApiServer,
  phase: string,
): Promise<string> {
  const path = `/api/v1/namespaces/${oracleNamespace}/secrets/prometheus-${oracleName}`;
  return processes.wait(
    'prometheus-operator',
    `configuration of phase ${phase}`,
    configTimeoutMs,
    async () => {
      const { data } = await client.get<{ data: Record<string, string> }>(path);
      const text = gunzipSync(Buffer.from(data['prometheus.yaml.gz']!, 'base64')).toString();
      return text.includes(`phase: ${phase}\n`) ? text : undefined;
    },
  );
}

export class OraclePrometheus {
  readonly #url: string;
  readonly #processes: ChildProcesses;
  /** As it was started, with secrets. */
  readonly config: PrometheusYaml;

  private constructor(processes: ChildProcesses, url: string, config: PrometheusYaml) {
    this.#processes = processes;
    this.#url = url;
    this.config = config;
  }

  /** Starts a Prometheus on what the operator wrote: configuration, TLS files, rule files. */
  static async start(
    processes: ChildProcesses,
    binary: string,
    server: ApiServer,
    text: string,
  ): Promise<OraclePrometheus> {
    const etcFolder = join(processes.folder, 'etc-prometheus');
    const config = adaptConfig(text, {
      kubeconfig: server.kubeconfig,
      namespace: oracleNamespace,
      etcFolder,
    });
    await writeMounts(server, etcFolder);
    const file = join(processes.folder, 'prometheus.json');
    writeFileSync(file, JSON.stringify(config, undefined, 1));
    const port = await freePort();
    processes.start('prometheus', binary, [
      ...[`--config.file=${file}`, `--storage.tsdb.path=${join(processes.folder, 'prometheus')}`],
      ...[`--web.listen-address=127.0.0.1:${port}`, '--storage.tsdb.retention.time=1d'],
    ]);
    const prometheus = new OraclePrometheus(processes, `http://127.0.0.1:${port}`, config);
    await processes.wait('prometheus', 'ready', startTimeoutMs, async () =>
      (await fetch(`${prometheus.#url}/-/ready`)).ok ? true : undefined,
    );
    return prometheus;
  }

  async targets(): Promise<PrometheusTargets> {
    return (await this.#data('/api/v1/targets?state=any')) as PrometheusTargets;
  }

  /** How many targets all pools have, without listing them. */
  async targetCount(): Promise<number> {
    const text = await (await this.#get('/metrics')).text();
    const pools = text.matchAll(/^prometheus_target_scrape_pool_targets\{.*\} (.+)$/gm);
    return [...pools].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  /** Its scrape configurations with all defaults; secrets are hidden. */
  async scrapeConfigs(): Promise<readonly ScrapeConfigYaml[]> {
    const { yaml } = (await this.#data('/api/v1/status/config')) as { yaml: string };
    return (load(yaml) as PrometheusYaml).scrape_configs;
  }

  stop(): Promise<void> {
    return this.#processes.end('prometheus');
  }

  async #data(path: string): Promise<unknown> {
    const answer = await this.#get(path);
    return ((await answer.json()) as { data: unknown }).data;
  }

  #get(path: string): Promise<Response> {
    return fetch(`${this.#url}${path}`, { signal: AbortSignal.timeout(requestTimeoutMs) });
  }
}

/** What a pod of the Prometheus object would see below /etc/prometheus. */
async function writeMounts({ client, caFile }: ApiServer, etcFolder: string): Promise<void> {
  const secrets = `/api/v1/namespaces/${oracleNamespace}/secrets`;
  mkdirSync(join(etcFolder, 'certs'), { recursive: true });
  const assets = await client.get<{ data?: Record<string, string> }>(
    `${secrets}/prometheus-${oracleName}-tls-assets-0`,
  );
  const account = join(etcFolder, 'secrets/kubernetes.io/serviceaccount');
  mkdirSync(account, { recursive: true });
  copyFileSync(caFile, join(account, 'ca.crt'));
  for (const [name, content] of Object.entries(assets.data ?? {}))
    writeFileSync(join(etcFolder, 'certs', name), Buffer.from(content, 'base64'));
}
