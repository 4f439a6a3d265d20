import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accountAccess, openAccess } from './kubeconfig.ts';
import type { Credentials } from './kubeconfig.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flotilla-kubeconfig-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function kubeconfig(cluster: object, user: object): string {
  return file(
    'kubeconfig',
    JSON.stringify({
      'current-context': 'there',
      contexts: [
        { name: 'elsewhere', context: { cluster: 'none', user: 'none' } },
        { name: 'there', context: { cluster: 'c', user: 'u' } },
      ],
      clusters: [{ name: 'c', cluster: { server: 'https://api:6443/', ...cluster } }],
      users: [{ name: 'u', user }],
    }),
  );
}

function data(text: string): string {
  return Buffer.from(text).toString('base64');
}

async function check(cluster: object, user: object, want: Credentials): Promise<void> {
  const access = await openAccess(kubeconfig(cluster, user));
  expect(JSON.parse(JSON.stringify(await access.credentials()))).toEqual(want);
  expect(access.server).toBe('https://api:6443');
}

describe('a kubeconfig', () => {
  test('gives tokens, certificates and passwords, from data or from files beside it', async () => {
    file('ca.pem', 'CA');
    file('me.pem', 'ME');
    file('token', ' TOKEN\n');
    await check(
      { 'certificate-authority-data': data('CA') },
      { token: 't' },
      {
        ca: 'CA',
        headers: { Authorization: 'Bearer t' },
      },
    );
    await check(
      { 'certificate-authority': 'ca.pem', 'tls-server-name': 'api' },
      { tokenFile: 'token' },
      {
        ca: 'CA',
        servername: 'api',
        headers: { Authorization: 'Bearer TOKEN' },
      },
    );
    await check(
      { 'insecure-skip-tls-verify': true },
      { 'client-certificate': 'me.pem', 'client-key-data': data('KEY') },
      { cert: 'ME', key: 'KEY', rejectUnauthorized: false },
    );
    await check({}, { username: 'me', password: 'pass' }, { auth: 'me:pass' });
    await check({}, {}, {});
  });

  test('is looked at again when its files change', async () => {
    const token = file('token', 'one');
    const access = await openAccess(kubeconfig({}, { tokenFile: token }));
    writeFileSync(token, 'two and longer');
    expect((await access.credentials()).headers).toEqual({ Authorization: 'Bearer two and longer' });
    rmSync(token);
    expect((await access.credentials()).headers).toEqual({ Authorization: 'Bearer two and longer' });
  });

  test('may have a program give the credentials', async () => {
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 'of a program' },
    };
    const exec = { apiVersion: credential.apiVersion, command: 'echo', args: [JSON.stringify(credential)] };
    const access = await openAccess(kubeconfig({}, { exec }));
    expect((await access.credentials()).headers).toEqual({ Authorization: 'Bearer of a program' });
  });

  test('without a cluster, or with a file that is missing, is refused', async () => {
    await expect(openAccess(file('empty', '{}'))).rejects.toThrow('no current cluster, want one');
    await expect(openAccess(file('bad', '{'))).rejects.toThrow(`kubeconfig ${folder}/bad: `);
    await expect(openAccess(kubeconfig({ server: 'api' }, {}))).rejects.toThrow('server api, want a URL');
    await expect(openAccess(kubeconfig({}, { tokenFile: 'none' }))).rejects.toThrow('ENOENT');
  });
});

describe("a pod's ServiceAccount", () => {
  test('gives token and CA, and follows their rotation', async () => {
    file('token', 'one');
    file('ca.crt', 'CA');
    const access = accountAccess(
      { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' },
      folder,
    );
    expect(access.server).toBe('https://[fd00::1]:6443');
    expect(await access.credentials()).toMatchObject({ ca: 'CA', headers: { Authorization: 'Bearer one' } });
    file('token', 'rotated');
    expect((await access.credentials()).headers).toEqual({ Authorization: 'Bearer rotated' });
  });

  test('is only there in a pod', () => {
    expect(() => accountAccess({}, folder)).toThrow('no pod with a ServiceAccount');
    expect(() => accountAccess({ KUBERNETES_SERVICE_HOST: 'x' }, folder)).toThrow('no pod');
  });
});
