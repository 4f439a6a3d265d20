import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { get, type RequestOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { errorCode, errorText } from './error-text.ts';
import * as certs from './test-certificates.ts';
import { folderOf, startServer, stopServers } from './test-server.ts';
import { openWebConfig } from './web-config.ts';

afterEach(stopServers);

const alicesHash = hashSync('wonderland', 4);
const pems = {
  'server.crt': certs.serverCert,
  'server.key': certs.serverKey,
  'ca.crt': certs.caCert,
};
const tlsSection = 'tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n';

/** A folder with a web.yml and the certificates, and the flag that names it. */
function webFolder(source: string): { folder: string; flag: string; file: string } {
  const folder = folderOf({ 'web.yml': source, ...pems });
  const file = join(folder, 'web.yml');
  return { folder, file, flag: `--web.config.file=${file}` };
}

/** As an editor or a mounted Secret does it. */
function replace(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, `${name}.new`), text);
  renameSync(join(folder, `${name}.new`), join(folder, name));
}

interface TlsAnswer {
  readonly status: number;
  readonly serial: string;
  readonly protocol: string | null;
  readonly cipher: string;
}

/** Over a connection of its own; a failure is the error's code or text. */
async function tlsGet(url: string, options: RequestOptions = {}): Promise<TlsAnswer | string> {
  try {
    const request = get(`${url}/-/healthy`, { ca: certs.caCert, agent: false, ...options });
    const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage];
    const socket = response.socket as TLSSocket;
    const answer = {
      status: response.statusCode ?? 0,
      serial: socket.getPeerCertificate().serialNumber,
      protocol: socket.getProtocol(),
      cipher: socket.getCipher().standardName,
    };
    response.resume();
    await once(response, 'end');
    return answer;
  } catch (err) {
    return errorCode(err) || errorText(err);
  }
}

async function loginStatus(url: string, login?: string, scheme = 'Basic'): Promise<number> {
  const headers =
    login === undefined ? {} : { authorization: `${scheme} ${scheme === 'Basic' ? btoa(login) : login}` };
  const response = await fetch(`${url}/-/healthy`, { headers });
  await response.text();
  return response.status;
}

describe('openWebConfig', () => {
  function check(source: string, want: string | RegExp): void {
    const { file } = webFolder(source);
    let text = 'no error';
    try {
      openWebConfig(file, () => undefined);
    } catch (err) {
      text = errorText(err);
    }
    expect(text.replace(`web config file ${file}: `, '')).toMatch(want);
  }

  test('refuses what it does not know, by name', () => {
    check('tls_server_confg: {}', 'tls_server_confg: unknown key');
    check(`${tlsSection}  cert_fil: x`, 'tls_server_config.cert_fil: unknown key');
    check('http_server_config: {headers: {Server: x}}', 'http_server_config.headers.Server: unknown key');
    check(
      'http_server_config: {headers: {X-Frame-Options: allow}}',
      'http_server_config.headers.X-Frame-Options: ',
    );
    check(`${tlsSection}  min_version: TLS9`, 'tls_server_config.min_version: ');
    check(`${tlsSection}  cipher_suites: [ROT13]`, 'tls_server_config.cipher_suites.0: ');
    check(`${tlsSection}  client_auth_type: Maybe`, 'tls_server_config.client_auth_type: ');
  });

  test('refuses what cannot work', () => {
    check('tls_server_config: {cert_file: server.crt}', 'want a certificate and its key');
    check(`${tlsSection}  cert: x`, 'cert and cert_file: both given, want one');
    check(`${tlsSection}  client_auth_type: RequireAndVerifyClientCert`, 'no CA, want client_ca_file');
    check('tls_server_config: {cert_file: gone.crt, key_file: server.key}', 'gone.crt');
    check(
      'tls_server_config: {cert_file: server.crt, key_file: ca.crt}',
      'tls_server_config: certificate, key or CA refused: ',
    );
    check('[', /^line \d+: /);
  });

  test('never shows a password or a hash', () => {
    check('basic_auth_users: {alice: wonderland}', /^basic_auth_users.alice: want a bcrypt hash$/);
    check('basic_auth_users:\n  alice: "wonderland\n', /^line \d+: (?!.*wonderland)/);
  });

  test('takes an empty file', () => {
    const { file } = webFolder('');
    expect(openWebConfig(file, () => undefined).get().tls).toBeUndefined();
  });
});

describe('basic auth', () => {
  test('asks everybody, /-/healthy too', async () => {
    const { url } = await startServer(undefined, [
      webFolder(`basic_auth_users: {alice: ${alicesHash}}`).flag,
    ]);
    const check = async (login: string | undefined, want: number): Promise<void> =>
      expect([login, await loginStatus(url, login)]).toEqual([login, want]);
    await check(undefined, 401);
    await check('alice:wonderland', 200);
    await check('alice:wonderland', 200);
    await check('alice:other', 401);
    await check('alice:other', 401);
    await check('bob:wonderland', 401);
    await check('alice', 401);
    await check('__proto__:x', 401);
    expect(await loginStatus(url, 'wonderland', 'Bearer')).toBe(401);
    const { headers } = await fetch(url);
    expect(headers.get('www-authenticate')).toBe('Basic');
  });

  test('lets the parts of the fleet pass by their token', async () => {
    const token = join(folderOf({ token: 'internal-token\n' }), 'token');
    const { flag } = webFolder(`basic_auth_users: {alice: ${alicesHash}}`);
    const { url } = await startServer(undefined, [flag, `--internal.token-file=${token}`]);
    expect(await loginStatus(url, 'internal-token', 'Bearer')).toBe(200);
    expect(await loginStatus(url, 'internal-tokem', 'Bearer')).toBe(401);
    expect(await loginStatus(url, 'alice:wonderland')).toBe(200);
  });

  test('follows the file, and keeps the last good one', async () => {
    const { folder, flag } = webFolder(`basic_auth_users: {alice: ${alicesHash}}`);
    const { url, lines } = await startServer(undefined, [flag]);
    replace(folder, 'web.yml', `basic_auth_users: {bob: ${hashSync('builder', 4)}}`);
    expect([await loginStatus(url, 'alice:wonderland'), await loginStatus(url, 'bob:builder')]).toEqual([
      401, 200,
    ]);
    replace(folder, 'web.yml', 'nonsense: 1');
    expect([await loginStatus(url), await loginStatus(url, 'bob:builder')]).toEqual([401, 200]);
    const errors = lines.filter((line) => line.includes('level=ERROR'));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain('nonsense: unknown key');
  });

  test('checks a burst of logins, and refuses the part of it that would wait too long', async () => {
    const { url } = await startServer(undefined, [
      webFolder(`basic_auth_users: {alice: ${alicesHash}}`).flag,
    ]);
    const codes = await Promise.all(
      Array.from({ length: 80 }, (_, i) => loginStatus(url, `alice:guess${i}`)),
    );
    expect(codes.filter((code) => code !== 401 && code !== 503)).toEqual([]);
    expect(await loginStatus(url, 'alice:wonderland')).toBe(200);
  });
});

describe('headers', () => {
  test('of http_server_config are on every answer', async () => {
    const { flag } = webFolder(
      'http_server_config: {headers: {X-Frame-Options: deny, X-XSS-Protection: ""}}',
    );
    const { url } = await startServer(undefined, [flag]);
    const { headers } = await fetch(`${url}/nothing`);
    expect([headers.get('x-frame-options'), headers.get('x-xss-protection')]).toEqual(['deny', null]);
  });
});

describe('TLS', () => {
  test('serves https with paths relative to the file, and nothing else', async () => {
    const { url, port } = await startServer(undefined, [webFolder(tlsSection).flag]);
    expect(url).toBe(`https://127.0.0.1:${port}`);
    expect(await tlsGet(url)).toMatchObject({ status: 200, protocol: 'TLSv1.3' });
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toBeDefined();
  });

  test('keeps to versions and ciphers', async () => {
    const source = `${tlsSection}  max_version: TLS12\n  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n  curve_preferences: [CurveP256]\n`;
    const { url } = await startServer(undefined, [webFolder(source).flag]);
    expect(await tlsGet(url)).toMatchObject({
      protocol: 'TLSv1.2',
      cipher: 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
    });
    expect(await tlsGet(url, { minVersion: 'TLSv1.3' })).toEqual(
      expect.stringMatching(/ALERT|ECONNRESET|EPROTO/),
    );
  });

  test('takes a renewed certificate for the next connection', async () => {
    const { folder, flag } = webFolder(tlsSection);
    const { url } = await startServer(undefined, [flag]);
    const before = await tlsGet(url);
    replace(folder, 'server.crt', certs.renewedServerCert);
    expect(await tlsGet(url)).toEqual(before); // Certificate and key do not match yet.
    replace(folder, 'server.key', certs.renewedServerKey);
    const after = await tlsGet(url);
    expect(after).toMatchObject({ status: 200 });
    expect(after).not.toEqual(before);
  });

  test('is not turned off by an edit', async () => {
    const { folder, flag } = webFolder(tlsSection);
    const { url, lines } = await startServer(undefined, [flag]);
    replace(folder, 'web.yml', '');
    expect(await tlsGet(url)).toMatchObject({ status: 200 });
    expect(lines.join('')).toContain('want a restart');
  });
});

describe('client certificates', () => {
  const client = { cert: certs.clientCert, key: certs.clientKey };
  const stranger = { cert: certs.strangerCert, key: certs.strangerKey };

  function rules(type: string, more = ''): string {
    return `${tlsSection}  client_auth_type: ${type}\n  client_ca_file: ca.crt\n${more}`;
  }

  async function check(
    source: string,
    want: { nobody: boolean; client: boolean; stranger: boolean },
  ): Promise<void> {
    const { url } = await startServer(undefined, [webFolder(source).flag]);
    const passes = async (options: RequestOptions): Promise<boolean> =>
      typeof (await tlsGet(url, options)) !== 'string';
    const got = { nobody: await passes({}), client: await passes(client), stranger: await passes(stranger) };
    expect([source, got]).toEqual([source, want]);
  }

  test('are judged by client_auth_type, as in Go', async () => {
    await check(rules('NoClientCert'), { nobody: true, client: true, stranger: true });
    await check(rules('RequestClientCert'), { nobody: true, client: true, stranger: true });
    await check(rules('RequireAnyClientCert'), { nobody: false, client: true, stranger: true });
    await check(rules('VerifyClientCertIfGiven'), { nobody: true, client: true, stranger: false });
    await check(rules('RequireAndVerifyClientCert'), { nobody: false, client: true, stranger: false });
    await check(`${tlsSection}  client_ca_file: ca.crt\n`, { nobody: false, client: true, stranger: false });
  });

  test('must carry an allowed name', async () => {
    const sans = (names: string): string =>
      rules('RequireAndVerifyClientCert', `  client_allowed_sans: [${names}]\n`);
    await check(sans('"client.test"'), { nobody: false, client: true, stranger: false });
    await check(sans('x, "spiffe://test/client"'), { nobody: false, client: true, stranger: false });
    await check(sans('"*.test"'), { nobody: false, client: false, stranger: false });
  });

  test('are asked for after an edit that asks for them', async () => {
    const { folder, flag } = webFolder(tlsSection);
    const { url } = await startServer(undefined, [flag]);
    expect(await tlsGet(url)).toMatchObject({ status: 200 });
    replace(folder, 'web.yml', rules('RequireAndVerifyClientCert'));
    expect(typeof (await tlsGet(url))).toBe('string');
    expect(await tlsGet(url, client)).toMatchObject({ status: 200 });
  });
});
