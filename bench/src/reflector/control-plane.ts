// A real etcd and kube-apiserver on loopback, alone. Objects are written straight into etcd, in which the API server finds them:
// 50 000 pods would otherwise cost 100 000 requests.

import { freePort } from '@flotilla/chassis';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const startTimeoutMs = 60_000;
const graceMs = 5000;
/** etcd takes 128 operations in a transaction, and 1.5 MB in a request. */
const perTransaction = 100;
const transactionsAtOnce = 4;

export class ControlPlane {
  readonly folder = mkdtempSync(join(tmpdir(), 'flotilla-bench-'));
  readonly kubeconfig = join(this.folder, 'kubeconfig');
  readonly #children = new Map<string, ChildProcess>();
  readonly #onExit = (): void => {
    for (const child of this.#children.values()) child.kill('SIGKILL');
  };
  #etcd = '';

  constructor() {
    process.on('exit', this.#onExit);
  }

  /** `binaries` is the folder of etcd and kube-apiserver. Resolves when the API server is ready. */
  async start(binaries: string): Promise<void> {
    const [client, peer, port] = [await freePort(), await freePort(), await freePort()];
    const [url, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
    this.#etcd = url;
    this.spawn('etcd', join(binaries, 'etcd'), [
      ...['--name', 'bench', '--data-dir', join(this.folder, 'etcd'), '--unsafe-no-fsync'],
      ...['--listen-client-urls', url, '--advertise-client-urls', url, '--listen-peer-urls', peerUrl],
      ...['--initial-advertise-peer-urls', peerUrl, '--initial-cluster', `bench=${peerUrl}`],
      ...['--quota-backend-bytes', String(8 * 2 ** 30), '--log-level', 'warn'],
    ]);
    await this.until('etcd', async () => (await fetch(`${url}/health`)).ok);
    const token = this.#writeSecrets();
    this.spawn('kube-apiserver', join(binaries, 'kube-apiserver'), [
      ...['--etcd-servers', url, '--bind-address', '127.0.0.1', '--secure-port', `${port}`],
      ...['--cert-dir', join(this.folder, 'certificates'), '--advertise-address', '127.0.0.1'],
      ...['--service-cluster-ip-range', '10.96.0.0/16', '--authorization-mode', 'RBAC'],
      ...['--endpoint-reconciler-type', 'none', '--token-auth-file', join(this.folder, 'tokens.csv')],
      ...['--service-account-issuer', 'https://flotilla.test'],
      ...['--service-account-key-file', join(this.folder, 'sa.pub')],
      ...['--service-account-signing-key-file', join(this.folder, 'sa.key')],
    ]);
    writeFileSync(this.kubeconfig, kubeconfigOf(`https://127.0.0.1:${port}`, token), { mode: 0o600 });
  }

  /** A token of an administrator. */
  #writeSecrets(): string {
    const token = randomBytes(16).toString('hex');
    writeFileSync(join(this.folder, 'tokens.csv'), `${token},bench,bench,"system:masters"\n`, {
      mode: 0o600,
    });
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(join(this.folder, 'sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
    const key = privateKey.export({ type: 'sec1', format: 'pem' });
    writeFileSync(join(this.folder, 'sa.key'), key, { mode: 0o600 });
    return token;
  }

  /** Starts a process whose output goes to a file; its name stops it. */
  spawn(name: string, binary: string, args: readonly string[]): ChildProcess {
    const log = openSync(join(this.folder, `${name}.log`), 'a');
    const child = spawn(binary, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#children.set(name, child);
    return child;
  }

  /** Asks until the answer is true; fails when the process has ended. */
  async until(name: string, isSo: () => Promise<boolean>, timeoutMs = startTimeoutMs): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    while (!(await isSo().catch(() => false))) {
      const isOver = this.#children.get(name)?.exitCode !== null;
      if (isOver || performance.now() > deadlineMs) throw new Error(`${name}: ${this.#logTail(name)}`);
      await sleep(100);
    }
  }

  #logTail(name: string): string {
    return readFileSync(join(this.folder, `${name}.log`), 'utf8')
      .split('\n')
      .slice(-10)
      .join('\n');
  }

  /** Writes `count` objects; returns the bytes of their JSON. */
  async fill(
    count: number,
    make: (index: number) => { readonly path: string; readonly pod: object },
  ): Promise<number> {
    let next = 0;
    let sizeBytes = 0;
    const work = async (): Promise<void> => {
      while (next < count) {
        const from = next;
        next = Math.min(count, from + perTransaction);
        const puts = Array.from({ length: next - from }, (_, at) => {
          const { path, pod } = make(from + at);
          const text = JSON.stringify(pod);
          sizeBytes += text.length;
          return { requestPut: { key: base64(`/registry/${path}`), value: base64(text) } };
        });
        await this.#transact(puts);
      }
    };
    await Promise.all(Array.from({ length: transactionsAtOnce }, work));
    return sizeBytes;
  }

  async #transact(success: readonly object[]): Promise<void> {
    const body = JSON.stringify({ success });
    const response = await fetch(`${this.#etcd}/v3/kv/txn`, { method: 'POST', body });
    if (!response.ok) throw new Error(`etcd: ${response.status}: ${await response.text()}`);
    await response.arrayBuffer();
  }

  async end(name: string): Promise<void> {
    const child = this.#children.get(name);
    this.#children.delete(name);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await ended;
    clearTimeout(timer);
  }

  async stop(): Promise<void> {
    for (const name of [...this.#children.keys()].toReversed()) await this.end(name);
    process.off('exit', this.#onExit);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function kubeconfigOf(server: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'bench',
    clusters: [{ name: 'bench', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'bench', user: { token } }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
  });
}
