// Pages of real exporters in each format that they offer, taken some times one after the other while they work:
// node_exporter, cAdvisor, Prometheus, Alertmanager, etcd, kube-apiserver.

import { freePort } from '@flotilla/chassis';
import { readFileSync, writeFileSync } from 'node:fs';
import { get as getPlain } from 'node:http';
import { get as getTls } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startApiServer } from '../operator/api-server.ts';
import { ChildProcesses } from '../operator/child-processes.ts';

/** The pages of one exporter in one format. */
export interface Recording {
  readonly exporter: string;
  readonly format: Format;
  readonly contentType: string;
  readonly bodies: readonly Buffer[];
  /** Samples have times of their own. */
  readonly isTimed: boolean;
}

export type Format = 'text' | 'text1' | 'openMetrics' | 'protobuf';

export interface Binaries {
  readonly nodeExporter: string;
  readonly prometheus: string;
  /** undefined if there is none. */
  readonly cadvisor: string | undefined;
  /** undefined if there is none. */
  readonly alertmanager: string | undefined;
  /** Folder of etcd and kube-apiserver; undefined if there is none. */
  readonly cluster: string | undefined;
}

const accepted: Readonly<Record<Format, string>> = {
  text: 'text/plain;version=0.0.4',
  text1: 'text/plain;version=1.0.0;escaping=allow-utf-8',
  openMetrics: 'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8',
  protobuf:
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;escaping=allow-utf-8',
};
const pages = 5;
const startTimeoutMs = 60_000;

interface Source {
  readonly exporter: string;
  readonly url: string;
  readonly tls?: { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer };
  /** Something for it to count. */
  readonly use: () => Promise<unknown>;
}

export async function recordExporters(binaries: Binaries): Promise<Recording[]> {
  const processes = new ChildProcesses();
  try {
    const sources = [
      await startPlain(processes, 'node_exporter', binaries.nodeExporter, (listen) => [
        `--web.listen-address=${listen}`,
      ]),
      ...(binaries.cadvisor === undefined
        ? []
        : [await startPlain(processes, 'cadvisor', binaries.cadvisor, (listen) => [listen])]),
      await startPrometheus(processes, binaries.prometheus),
      ...(binaries.alertmanager === undefined
        ? []
        : [await startAlertmanager(processes, binaries.alertmanager)]),
      ...(binaries.cluster === undefined ? [] : await startControlPlane(processes, binaries.cluster)),
    ];
    return await record(sources);
  } finally {
    await processes.stop();
  }
}

async function startPlain(
  processes: ChildProcesses,
  exporter: string,
  binary: string,
  argsOf: (listen: string) => readonly string[],
): Promise<Source> {
  const listen = `127.0.0.1:${await freePort()}`;
  processes.start(exporter, binary, argsOf(listen));
  const url = `http://${listen}/metrics`;
  await processes.wait(exporter, 'ready', startTimeoutMs, async () =>
    (await fetch(url)).ok ? true : undefined,
  );
  return { exporter, url, use: () => fetch(`http://${listen}/`) };
}

async function startPrometheus(processes: ChildProcesses, binary: string): Promise<Source> {
  const config = join(processes.folder, 'prometheus.yml');
  const source = await startPlain(processes, 'prometheus', binary, (listen) => {
    const job = { job_name: 'self', static_configs: [{ targets: [listen] }] };
    writeFileSync(config, JSON.stringify({ global: { scrape_interval: '1s' }, scrape_configs: [job] }));
    return [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(processes.folder, 'data')}`,
      `--web.listen-address=${listen}`,
    ];
  });
  return { ...source, use: () => fetch(source.url.replace('metrics', 'api/v1/query?query=up')) };
}

function startAlertmanager(processes: ChildProcesses, binary: string): Promise<Source> {
  const config = join(processes.folder, 'alertmanager.yml');
  writeFileSync(config, JSON.stringify({ route: { receiver: 'none' }, receivers: [{ name: 'none' }] }));
  return startPlain(processes, 'alertmanager', binary, (listen) => [
    `--config.file=${config}`,
    `--storage.path=${join(processes.folder, 'alertmanager')}`,
    `--web.listen-address=${listen}`,
    '--cluster.listen-address=',
  ]);
}

async function startControlPlane(processes: ChildProcesses, folder: string): Promise<Source[]> {
  const server = await startApiServer(processes, folder);
  const tls = {
    ca: readFileSync(server.caFile),
    cert: readFileSync(server.certFile),
    key: readFileSync(server.keyFile),
  };
  const list = (): Promise<unknown> => server.client.send('GET', '/api/v1/namespaces');
  return [
    { exporter: 'kube-apiserver', url: `${server.url}/metrics`, tls, use: list },
    { exporter: 'etcd', url: `${server.etcdUrl}/metrics`, use: list },
  ];
}

async function record(sources: readonly Source[]): Promise<Recording[]> {
  const taken = sources.map((source) => {
    const formats = Object.keys(accepted) as Format[];
    return {
      source,
      formats: formats.map((format) => ({ format, contentType: '', bodies: [] as Buffer[] })),
    };
  });
  for (let page = 0; page < pages; page++) {
    for (const { source, formats } of taken) {
      await source.use();
      for (const kept of formats) {
        const { contentType, body } = await fetchPage(source, accepted[kept.format]);
        kept.contentType = contentType;
        kept.bodies.push(body);
      }
    }
    await sleep(500);
  }
  return taken.flatMap(({ source: { exporter }, formats }) =>
    formats
      .filter(({ format, contentType }) => isOffered(format, contentType))
      .map((kept) => ({ exporter, isTimed: exporter === 'cadvisor', ...kept })),
  );
}

/** Whether the exporter gave what was asked for, and not what it always gives. */
function isOffered(format: Format, contentType: string): boolean {
  const [media = '', version = ''] = accepted[format].split(';');
  return contentType.startsWith(media) && (format === 'protobuf' || contentType.includes(version));
}

function fetchPage({ url, tls }: Source, accept: string): Promise<{ contentType: string; body: Buffer }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ contentType: string; body: Buffer }>();
  const read = (response: IncomingMessage): void => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => {
      if (response.statusCode === 200)
        resolve({ contentType: response.headers['content-type'] ?? '', body: Buffer.concat(chunks) });
      else reject(new Error(`${url}: status ${response.statusCode}`));
    });
  };
  const headers = { accept };
  const request =
    tls === undefined ? getPlain(url, { headers }, read) : getTls(url, { headers, ...tls }, read);
  request.on('error', reject);
  return promise;
}
