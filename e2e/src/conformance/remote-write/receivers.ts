// Real receivers of remote write on folders of their own, which are killed and started again on the same port.

import { freePort } from '@flotilla/chassis';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../local/fleet.ts';
import { dumpOfPromtool } from '../tsdb/peer.ts';

export interface Receiver {
  readonly name: string;
  /** Of remote write. */
  readonly url: string;
  readonly messageVersion: 'V1.0' | 'V2.0';
  /** What it keeps of a line of a dump; undefined if nothing. */
  keeps(line: string): string | undefined;
  start(): Promise<void>;
  /** As hard as it promises to survive. */
  kill(): Promise<void>;
  /** `labels value ms` of every sample, sorted. */
  dump(): Promise<string[]>;
}

abstract class Process {
  protected readonly dir: string;
  protected readonly port: number;
  readonly #binary: string;
  #child: ChildProcess | undefined;
  #log = '';

  constructor(binary: string, dir: string, port: number) {
    this.#binary = binary;
    this.dir = dir;
    this.port = port;
    mkdirSync(dir);
  }

  protected get base(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  protected async run(args: readonly string[], readyPath: string): Promise<void> {
    const child = spawn(this.#binary, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    child.stderr.on('data', (data: Buffer) => (this.#log = (this.#log + data.toString()).slice(-10_000)));
    await eventually('the receiver is ready', 60_000, async () => {
      if (child.exitCode !== null) throw new Error(`exit ${child.exitCode}: ${this.#log}`);
      const answer = await fetch(this.base + readyPath).catch(() => undefined);
      return answer?.status === 200 ? true : undefined;
    });
  }

  protected async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await exited;
  }
}

export class PrometheusReceiver extends Process implements Receiver {
  readonly name: string;
  readonly messageVersion: 'V1.0' | 'V2.0';

  private constructor(binary: string, folder: string, port: number, messageVersion: 'V1.0' | 'V2.0') {
    super(binary, join(folder, `prometheus-${messageVersion}`), port);
    this.messageVersion = messageVersion;
    this.name = `prometheus-${messageVersion}`;
    writeFileSync(join(this.dir, 'prometheus.yml'), '{}\n');
  }

  static async create(binary: string, folder: string, version: 'V1.0' | 'V2.0'): Promise<PrometheusReceiver> {
    return new PrometheusReceiver(binary, folder, await freePort(), version);
  }

  get url(): string {
    return `${this.base}/api/v1/write`;
  }

  async start(): Promise<void> {
    const args = [
      `--config.file=${join(this.dir, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(this.dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${this.port}`,
      '--storage.tsdb.retention.time=100y',
      '--web.enable-remote-write-receiver',
      '--web.remote-write-receiver.accepted-protobuf-messages=prometheus.WriteRequest',
      '--web.remote-write-receiver.accepted-protobuf-messages=io.prometheus.write.v2.Request',
    ];
    await this.run(args, '/-/ready');
  }

  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  keeps(line: string): string {
    return line;
  }

  async dump(): Promise<string[]> {
    return dumpOfPromtool(join(this.dir, 'data')).toSorted();
  }
}

interface ExportLine {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (number | null)[];
  readonly timestamps: readonly number[];
}

/** It acknowledges samples before it writes them, so that a kill -9 loses some, whoever sent them: it is asked to end. */
export class VictoriaMetricsReceiver extends Process implements Receiver {
  readonly name = 'victoria-metrics';
  readonly messageVersion = 'V1.0';

  static async create(binary: string, folder: string): Promise<VictoriaMetricsReceiver> {
    return new VictoriaMetricsReceiver(binary, join(folder, 'victoria-metrics'), await freePort());
  }

  get url(): string {
    return `${this.base}/api/v1/write`;
  }

  async start(): Promise<void> {
    const args = [
      `-storageDataPath=${join(this.dir, 'data')}`,
      `-httpListenAddr=127.0.0.1:${this.port}`,
      '-retentionPeriod=100y',
      // A request that is sent again has samples that are there already.
      '-dedup.minScrapeInterval=1ms',
    ];
    await this.run(args, '/health');
  }

  kill(): Promise<void> {
    return this.end('SIGTERM');
  }

  /** Floats, as decimals of some ten digits. */
  keeps(line: string): string | undefined {
    const [, labels, value, time] = /^(\{.*\}) (\S+) (\d+)$/.exec(line) ?? [];
    if (labels === undefined || value === undefined || labels.includes('} {')) return undefined;
    return `${labels} ${Number(Number(value).toPrecision(9))} ${time}`;
  }

  async dump(): Promise<string[]> {
    const query = new URLSearchParams({ 'match[]': '{__name__!=""}', reduce_mem_usage: '0' });
    const answer = await fetch(`${this.base}/api/v1/export?${query}`);
    const text = (await answer.text()).trim();
    if (answer.status !== 200) throw new Error(`export: ${answer.status} ${text}`);
    const lines = text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as ExportLine);
    return lines
      .flatMap(({ metric, values, timestamps }) => {
        const labels = Object.entries(metric)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, value]) => `${name}=${JSON.stringify(value)}`);
        return values.map((value, i) =>
          this.keeps(`{${labels.join(', ')}} ${value ?? 'NaN'} ${timestamps[i]}`)!,
        );
      })
      .toSorted();
  }
}
