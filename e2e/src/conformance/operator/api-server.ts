// A real API server over a real etcd, on loopback, alone: no controllers, no kubelet. Objects stay as the test writes them.

import { freePort } from '@flotilla/chassis';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChildProcesses } from './child-processes.ts';
import { KubeClient } from './kube-client.ts';

const startTimeoutMs = 60_000;
/** Both families, so that dual-stack Services are possible. */
const serviceRanges = '10.96.0.0/16,fd00:10:96::/108';

export interface ApiServer {
  readonly url: string;
  readonly client: KubeClient;
  readonly etcdUrl: string;
  readonly kubeconfig: string;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Starts etcd and kube-apiserver from the folder of binaries; resolves when the API server is ready. */
export async function startApiServer(processes: ChildProcesses, binaries: string): Promise<ApiServer> {
  const { folder } = processes;
  makeCertificates(join(folder, 'pki'));
  const etcd = await startEtcd(processes, binaries);
  const port = await freePort();
  const pki = (file: string): string => join(folder, 'pki', file);
  const server: Omit<ApiServer, 'client'> = {
    url: `https://127.0.0.1:${port}`,
    etcdUrl: etcd,
    kubeconfig: join(folder, 'kubeconfig'),
    caFile: pki('ca.crt'),
    certFile: pki('admin.crt'),
    keyFile: pki('admin.key'),
  };
  processes.start('kube-apiserver', join(binaries, 'kube-apiserver'), [
    ...['--etcd-servers', etcd, '--bind-address', '127.0.0.1', '--secure-port', `${port}`],
    ...['--advertise-address', '127.0.0.1', '--endpoint-reconciler-type', 'none'],
    ...['--service-cluster-ip-range', serviceRanges, '--authorization-mode', 'RBAC'],
    ...['--disable-admission-plugins', 'ServiceAccount', '--allow-privileged'],
    ...['--service-account-issuer', 'https://flotilla.test', '--service-account-key-file', pki('sa.pub')],
    ...['--service-account-signing-key-file', pki('sa.key'), '--client-ca-file', pki('ca.crt')],
    ...['--tls-cert-file', pki('apiserver.crt'), '--tls-private-key-file', pki('apiserver.key')],
    ...['--max-requests-inflight', '2000', '--max-mutating-requests-inflight', '1000'],
  ]);
  const client = new KubeClient(server);
  await processes.wait('kube-apiserver', 'ready', startTimeoutMs, async () =>
    (await client.send('GET', '/readyz')) === 'ok' ? true : undefined,
  );
  writeFileSync(server.kubeconfig, kubeconfigOf(server), { mode: 0o600 });
  return { ...server, client };
}

async function startEtcd(processes: ChildProcesses, binaries: string): Promise<string> {
  const [client, peer] = [await freePort(), await freePort()].map((port) => `http://127.0.0.1:${port}`);
  processes.start('etcd', join(binaries, 'etcd'), [
    ...['--name', 'oracle', '--data-dir', join(processes.folder, 'etcd'), '--unsafe-no-fsync'],
    ...['--listen-client-urls', client!, '--advertise-client-urls', client!, '--listen-peer-urls', peer!],
    ...['--initial-advertise-peer-urls', peer!, '--initial-cluster', `oracle=${peer}`],
  ]);
  await processes.wait('etcd', 'healthy', startTimeoutMs, async () =>
    (await fetch(`${client}/health`)).ok ? true : undefined,
  );
  return client!;
}

/** A CA, and certificates of it for the server and for an administrator; a key pair for service account tokens. */
function makeCertificates(folder: string): void {
  mkdirSync(folder, { mode: 0o700 });
  const openssl = (...args: string[]): Buffer =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const key = (name: string): Buffer =>
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`);
  const certificate = (name: string, subject: string): void => {
    key(name);
    openssl('req', '-new', '-key', `${name}.key`, '-subj', subject, '-out', `${name}.csr`);
    const issue = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'ext'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...issue, '-out', `${name}.crt`);
  };
  key('ca');
  const ca = ['-subj', '/CN=oracle-ca', '-days', '2', '-out', 'ca.crt'];
  openssl('req', '-x509', '-new', '-key', 'ca.key', ...ca);
  const usage = 'keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n';
  writeFileSync(join(folder, 'ext'), `${usage}subjectAltName=DNS:localhost,IP:127.0.0.1\n`);
  certificate('apiserver', '/CN=kube-apiserver');
  certificate('admin', '/O=system:masters/CN=oracle-admin');
  key('sa');
  openssl('ec', '-in', 'sa.key', '-pubout', '-out', 'sa.pub');
}

function kubeconfigOf({ url, caFile, certFile, keyFile }: Omit<ApiServer, 'client'>): string {
  const data = (file: string): string => readFileSync(file).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'oracle',
    contexts: [{ name: 'oracle', context: { cluster: 'oracle', user: 'admin' } }],
    clusters: [{ name: 'oracle', cluster: { server: url, 'certificate-authority-data': data(caFile) } }],
    users: [
      {
        name: 'admin',
        user: { 'client-certificate-data': data(certFile), 'client-key-data': data(keyFile) },
      },
    ],
  });
}
