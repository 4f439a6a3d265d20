// Secrets and ConfigMaps that monitors refer to, in every namespace, with real certificates and spoilt ones.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeObject } from '../kube-client.ts';
import { namespaces } from './nodes.ts';

export function credentialObjects({ certificate, key }: CertificatePair): KubeObject[] {
  return namespaces.flatMap((namespace) => [
    secret(namespace, 'basic', { user: 'admin', password: 'p:a ss"word' }),
    secret(namespace, 'token', { token: `token-of-${namespace}` }),
    secret(namespace, 'oauth', { id: 'client', secret: 'hidden' }),
    secret(namespace, 'tls', {
      'tls.crt': certificate,
      'tls.key': key,
      'ca.crt': certificate,
      bad: 'no PEM at all',
    }),
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'ca', namespace },
      data: { 'ca.crt': certificate, id: 'client', bad: 'no PEM' },
    } as KubeObject,
  ]);
}

function secret(namespace: string, name: string, stringData: Readonly<Record<string, string>>): KubeObject {
  const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData };
  return object;
}

export interface CertificatePair {
  readonly certificate: string;
  readonly key: string;
}

export function certificatePair(): CertificatePair {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-oracle-tls-'));
  try {
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const out = ['-keyout', 'key', '-out', 'crt', '-subj', '/CN=world', '-days', '2'];
    execFileSync('openssl', ['req', '-x509', ...curve, ...out], { cwd: folder, stdio: 'ignore' });
    const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
    return { certificate: read('crt'), key: read('key') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
