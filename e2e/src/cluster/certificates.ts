// Certificates and tokens made by the tests, to let them expire and rotate.

import { createPrivateKey, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './commands.ts';
import { stateFolder } from './environment.ts';

export interface Issued {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A certificate for a DNS name, by a CA of its own, in PEM. */
export async function issue(dnsName: string): Promise<Issued> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-pki-'));
  const at = (file: string): string => join(folder, file);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-days', '2'];
  try {
    writeFileSync(at('san'), `subjectAltName=DNS:${dnsName}\n`);
    const subject = `/CN=ca of ${dnsName} at ${Date.now()}`;
    await run('openssl', [
      'req',
      '-x509',
      ...newKey,
      '-subj',
      subject,
      '-keyout',
      at('ca.key'),
      '-out',
      at('ca.crt'),
    ]);
    await run('openssl', [
      'req',
      ...newKey,
      '-subj',
      `/CN=${dnsName}`,
      '-keyout',
      at('tls.key'),
      '-out',
      at('tls.csr'),
    ]);
    const signing = [
      '-CA',
      at('ca.crt'),
      '-CAkey',
      at('ca.key'),
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      at('san'),
    ];
    await run('openssl', ['x509', '-req', '-in', at('tls.csr'), ...signing, '-out', at('tls.crt')]);
    const text = (file: string): string => readFileSync(at(file), 'utf8');
    return { ca: text('ca.crt'), cert: text('tls.crt'), key: text('tls.key') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the API server still takes after a token has expired. */
const leewaySeconds = 60;
const issuer = 'https://kubernetes.default.svc.cluster.local';

/**
 * A token of a ServiceAccount as the API server issues it, signed with the cluster's own key: TokenRequest gives none that
 * ends within ten minutes. This one is good for `seconds` more.
 */
export function serviceAccountToken(
  { namespace, name, uid }: { readonly namespace: string; readonly name: string; readonly uid: string },
  seconds: number,
): string {
  const issuedSeconds = Math.floor(Date.now() / 1000) - leewaySeconds;
  const claims = {
    iss: issuer,
    aud: [issuer],
    sub: `system:serviceaccount:${namespace}:${name}`,
    iat: issuedSeconds,
    nbf: issuedSeconds,
    exp: issuedSeconds + seconds,
    'kubernetes.io': { namespace, serviceaccount: { name, uid } },
  };
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'ES256', typ: 'JWT' })}.${part(claims)}`;
  const key = createPrivateKey(readFileSync(join(stateFolder, 'pki/sa.key')));
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}
