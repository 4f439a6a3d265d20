// A real Prometheus that scrapes itself and pushes to a scraper of ours.

import { freePort } from '@flotilla/chassis';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../local/fleet.ts';
import { dumpOfPromtool } from '../tsdb/peer.ts';

export interface SenderOptions {
  readonly binary: string;
  /** Made. */
  readonly dir: string;
  /** Of our receiver. */
  readonly url: string;
  readonly tokenFile: string;
  readonly message: 'prometheus.WriteRequest' | 'io.prometheus.write.v2.Request';
}

export class PrometheusSender {
  readonly #dir: string;
  readonly #child: ChildProcess;

  private constructor(dir: string, child: ChildProcess) {
    this.#dir = dir;
    this.#child = child;
  }

  static async start({ binary, dir, url, tokenFile, message }: SenderOptions): Promise<PrometheusSender> {
    mkdirSync(dir);
    const port = await freePort();
    const listen = `127.0.0.1:${port}`;
    const config = join(dir, 'prometheus.yml');
    const authorization = { credentials_file: tokenFile };
    const scrape = { job_name: `pushed-${message}`, static_configs: [{ targets: [listen] }] };
    const remoteWrite = { url, protobuf_message: message, authorization, send_native_histograms: true };
    const text = JSON.stringify({
      global: { scrape_interval: '1s' },
      scrape_configs: [scrape],
      remote_write: [remoteWrite],
    });
    writeFileSync(config, text);
    const args = [`--config.file=${config}`, `--storage.tsdb.path=${join(dir, 'data')}`];
    const child = spawn(binary, [...args, `--web.listen-address=${listen}`], { stdio: 'ignore' });
    await eventually('the sender is ready', 60_000, async () =>
      (await fetch(`http://${listen}/-/ready`)).status === 200 ? true : undefined,
    );
    return new PrometheusSender(dir, child);
  }

  /** Sends what it has, and ends. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    await exited;
  }

  dump(): string[] {
    return dumpOfPromtool(join(this.#dir, 'data')).toSorted();
  }
}
