// One request of HTTP discovery, with the credentials of its ScrapeConfig.

import { proxyUrlFor } from '@flotilla/chassis';
import type { CredentialSource, JobAuth } from '@flotilla/wire';
import { readFileSync } from 'node:fs';
import { Agent, ProxyAgent, request } from 'undici';
import type { Dispatcher } from 'undici';
import { secretValue } from '../monitors/check-credentials.ts';
import type { ObjectSource } from '../objects/object-source.ts';

const timeoutMs = 10_000;
const bytesMax = 64 << 20;

/** Prometheus's rules: status 200, application/json, the whole list each time. */
export async function fetchDocument(
  url: string,
  auth: JobAuth,
  source: ObjectSource,
  stopping: AbortSignal,
): Promise<string> {
  const dispatcher = dispatcherFor(url, auth, source);
  try {
    const response = await request(url, {
      dispatcher,
      headers: { accept: 'application/json', ...authorization(auth, source) },
      signal: AbortSignal.any([stopping, AbortSignal.timeout(timeoutMs)]),
    });
    response.body.on('error', () => undefined);
    if (response.statusCode !== 200) throw new Error(`server returned HTTP status ${response.statusCode}`);
    const contentType = String(response.headers['content-type'] ?? '');
    if (!contentType.startsWith('application/json'))
      throw new Error(`unsupported content type ${JSON.stringify(contentType)}`);
    return await readText(response.body);
  } finally {
    void dispatcher.destroy();
  }
}

async function readText(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > bytesMax) throw new Error(`more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function authorization(
  { basic, authorization: header }: JobAuth,
  source: ObjectSource,
): Record<string, string> {
  if (basic !== undefined) {
    const pair = `${valueOf(basic.username, source)}:${valueOf(basic.password, source)}`;
    return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
  }
  if (header === undefined) return {};
  return { authorization: `${header.type} ${valueOf(header.credentials, source).trim()}` };
}

function dispatcherFor(url: string, { tls, proxy }: JobAuth, source: ObjectSource): Dispatcher {
  const pem = (credential: CredentialSource | undefined): string | undefined =>
    credential === undefined ? undefined : valueOf(credential, source);
  const given = {
    ca: pem(tls?.ca),
    cert: pem(tls?.cert),
    key: pem(tls?.key),
    servername: tls?.serverName,
    rejectUnauthorized: tls?.insecureSkipVerify === true ? false : undefined,
  };
  const connect = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const uri = proxy === undefined ? '' : proxyUrlFor(new URL(url), proxy);
  if (uri === '') return new Agent({ connect });
  const headers = (proxy?.connectHeaders ?? []).map(({ name, values }) => [
    name,
    values.map((value) => valueOf(value, source)).join(', '),
  ]);
  return new ProxyAgent({ uri, headers: Object.fromEntries(headers), requestTls: connect });
}

function valueOf(credential: CredentialSource, source: ObjectSource): string {
  if ('value' in credential) return credential.value;
  if ('file' in credential) return readFileSync(credential.file, 'utf8');
  const value = secretValue(source, credential.secret);
  const { kind, namespace, name, key } = credential.secret;
  if (value === undefined) throw new Error(`${kind} ${namespace}/${name}: no key ${key}`);
  return Buffer.from(value, 'base64').toString('utf8');
}
