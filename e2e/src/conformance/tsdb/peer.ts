// promtool and Prometheus as judges of a data folder.

import { freePort } from '@flotilla/chassis';
import { decodeChunk, decodeHistogramChunk, floatHistogramOf, ReadOnlyTsdb } from '@flotilla/tsdb';
import { formatGoG, histogramText } from '@flotilla/model';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../local/fleet.ts';

const OUTPUT_BYTES_MAX = 1 << 30;

function binary(name: string): string {
  const path = process.env[name];
  if (path === undefined) throw new Error(`${name} is not set: run \`npm run conformance tsdb\``);
  return path;
}

/** Standard output of promtool; throws if it fails. */
export function promtool(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(binary('FLOTILLA_PROMTOOL'), args, {
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  if (status !== 0) throw new Error(`promtool ${args.join(' ')}: exit ${status}: ${stderr}`);
  return stdout;
}

/** Every sample as promtool sees it, one line each, in its order. */
export function dumpOfPromtool(dir: string): string[] {
  if (!existsSync(join(dir, 'wal'))) mkdirSync(join(dir, 'wal')); // It insists on one.
  return promtool('tsdb', 'dump', dir).trimEnd().split('\n');
}

/** The same as we see it. */
export async function ownDump(dir: string): Promise<string[]> {
  const db = new ReadOnlyTsdb(dir, { info() {}, warn() {}, error() {} });
  if (db.corruptions.length > 0) throw new Error(JSON.stringify(db.corruptions));
  const set = await db.select([], -(2 ** 53), 2 ** 53);
  const lines: string[] = [];
  while (set.next()) {
    const labels = set.labels.toString();
    for (const chunk of set.chunks) {
      const times = new Float64Array(chunk.samples);
      const values = new Float64Array(chunk.samples);
      const count = decodeChunk(chunk, times, values);
      for (let i = 0; i < count; i++) lines.push(`${labels} ${formatGoG(values[i]!)} ${times[i]}`);
      for (const { timeMs, histogram } of decodeHistogramChunk(chunk))
        lines.push(`${labels} ${histogramText(floatHistogramOf(histogram))} ${timeMs}`);
    }
  }
  return lines;
}

/** A Prometheus on a data folder; scrapes itself every second when told so. */
export class PrometheusPeer {
  readonly url: string;
  private readonly child: ChildProcess;
  private readonly exited: Promise<unknown>;

  private constructor(child: ChildProcess, url: string) {
    this.child = child;
    this.url = url;
    this.exited = new Promise((resolve) => child.once('exit', resolve));
  }

  static async start(
    dir: string,
    scrapeConfigs: (port: number) => string,
    ...flags: string[]
  ): Promise<PrometheusPeer> {
    const port = await freePort();
    const config = `${dir}.yml`;
    writeFileSync(config, `global:\n  scrape_interval: 1s\n${scrapeConfigs(port)}`);
    const args = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${dir}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--storage.tsdb.retention.time=100y',
      '--web.enable-admin-api',
      ...flags,
    ];
    const child = spawn(binary('FLOTILLA_PROMETHEUS'), args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    child.stderr.on('data', (data: Buffer) => (log += data.toString()));
    const peer = new PrometheusPeer(child, `http://127.0.0.1:${port}`);
    await eventually('Prometheus is ready', 60_000, async () => {
      if (child.exitCode !== null) throw new Error(`Prometheus: exit ${child.exitCode}: ${log}`);
      const answer = await fetch(`${peer.url}/-/ready`).catch(() => undefined);
      return answer?.status === 200 ? true : undefined;
    });
    return peer;
  }

  async api(path: string, method = 'GET'): Promise<unknown> {
    const answer = await fetch(`${this.url}/api/v1/${path}`, { method });
    const body = (await answer.json()) as { status: string; data?: unknown; error?: string };
    if (body.status !== 'success') throw new Error(`${path}: ${body.error}`);
    return body.data;
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.child.kill(signal);
    await this.exited;
  }
}
