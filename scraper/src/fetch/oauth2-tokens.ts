// OAuth 2.0 with client credentials (RFC 6749 §4.4). One token serves all targets with the same settings; it is asked for again
// 10 s before it expires, as Go's oauth2 does. Neither credentials nor tokens are ever part of an error or a log line.

import { createHash } from 'node:crypto';
import { errorText } from '@flotilla/chassis';
import { Agent, type Dispatcher, ProxyAgent, request } from 'undici';
import { basicAuthorization } from './basic-authorization.ts';
import { ScrapeError, transportError } from './scrape-error.ts';
import type { TlsMaterial } from './tls-material.ts';

/** What a token is asked for with; all values are resolved. */
export interface TokenRequest {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scopes: readonly string[];
  readonly endpointParams: Readonly<Record<string, string>>;
  readonly tls: TlsMaterial | undefined;
  readonly proxy: { readonly url: string; readonly headers: Readonly<Record<string, string>> } | undefined;
}

interface Entry {
  /** Value of the Authorization header; '' before the first token. */
  header: string;
  expiresMs: number;
  pending: Promise<string> | undefined;
}

const earlyMs = 10_000;
const answerBytesMax = 1 << 20;
const requestTimeoutMs = 30_000;
const entriesMax = 1000;
const shownTextMax = 200;

export class OAuth2Tokens {
  readonly #entries = new Map<string, Entry>();

  /** The value of the Authorization header. Throws ScrapeError when no token is given. */
  authorization(wanted: TokenRequest): string | Promise<string> {
    const entry = this.#entry(wanted);
    if (entry.header !== '' && Date.now() < entry.expiresMs) return entry.header;
    entry.pending ??= fetchToken(wanted)
      .then(({ header, expiresMs }) => {
        entry.header = header;
        entry.expiresMs = expiresMs;
        return header;
      })
      .finally(() => (entry.pending = undefined));
    return entry.pending;
  }

  #entry(wanted: TokenRequest): Entry {
    const key = createHash('sha256').update(JSON.stringify(wanted)).digest('base64');
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    // Settings that changed leave an entry behind, so there is an end to them.
    if (this.#entries.size >= entriesMax) this.#entries.delete(this.#entries.keys().next().value!);
    const entry: Entry = { header: '', expiresMs: 0, pending: undefined };
    this.#entries.set(key, entry);
    return entry;
  }
}

interface TokenAnswer {
  readonly access_token?: unknown;
  readonly token_type?: unknown;
  readonly expires_in?: unknown;
  readonly error?: unknown;
  readonly error_description?: unknown;
}

/** Servers differ in where they want the client's secret: first in the header, as the RFC prefers, then in the body. */
async function fetchToken(wanted: TokenRequest): Promise<{ header: string; expiresMs: number }> {
  const url = new URL(wanted.tokenUrl);
  const dispatcher = dispatcherFor(wanted);
  try {
    let answer = await ask(url, wanted, 'header', dispatcher);
    if (answer.status !== 200) answer = await ask(url, wanted, 'body', dispatcher);
    return tokenOf(answer);
  } finally {
    await dispatcher.destroy();
  }
}

function dispatcherFor({ tls, proxy }: TokenRequest): Dispatcher {
  if (proxy !== undefined)
    return new ProxyAgent({ uri: proxy.url, headers: proxy.headers, ...(tls && { requestTls: tls }) });
  return new Agent({ ...(tls && { connect: tls }) });
}

interface Answer {
  readonly status: number;
  readonly body: TokenAnswer;
}

async function ask(
  url: URL,
  { clientId, clientSecret, scopes, endpointParams }: TokenRequest,
  secretIn: 'header' | 'body',
  dispatcher: Dispatcher,
): Promise<Answer> {
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  if (scopes.length > 0) form.set('scope', scopes.join(' '));
  for (const [name, value] of Object.entries(endpointParams)) form.set(name, value);
  const headers: Record<string, string> = {
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
  };
  if (secretIn === 'header') {
    const [user, password] = [encodeURIComponent(clientId), encodeURIComponent(clientSecret)];
    headers['authorization'] = basicAuthorization(user, password);
  } else {
    form.set('client_id', clientId);
    form.set('client_secret', clientSecret);
  }
  try {
    const signal = AbortSignal.timeout(requestTimeoutMs);
    const response = await request(url, {
      method: 'POST',
      headers,
      body: form.toString(),
      dispatcher,
      signal,
    });
    return { status: response.statusCode, body: parsed(await limitedText(response.body)) };
  } catch (error) {
    throw new ScrapeError(`oauth2: cannot fetch token: ${errorText(transportError(url, error))}`);
  }
}

async function limitedText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > answerBytesMax) throw new ScrapeError(`answer has more than ${answerBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): TokenAnswer {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function tokenOf({ status, body }: Answer): { header: string; expiresMs: number } {
  const { access_token: token, token_type: type, expires_in: expiresIn } = body;
  if (status !== 200) throw new ScrapeError(`oauth2: cannot fetch token: status ${status}${reasonOf(body)}`);
  if (typeof token !== 'string' || token === '')
    throw new ScrapeError('oauth2: server response missing access_token');
  const seconds = Number(expiresIn ?? 0);
  return {
    header: `${scheme(type)} ${token}`,
    expiresMs: seconds > 0 ? Date.now() + seconds * 1000 - earlyMs : Infinity,
  };
}

/** The fields that RFC 6749 §5.2 has for it; the rest of the answer might hold secrets. */
function reasonOf({ error, error_description: description }: TokenAnswer): string {
  const texts = [error, description].filter((one) => typeof one === 'string' && one !== '');
  return texts.length === 0 ? '' : `: ${texts.join(': ').slice(0, shownTextMax)}`;
}

function scheme(type: unknown): string {
  if (typeof type !== 'string' || type === '' || type.toLowerCase() === 'bearer') return 'Bearer';
  return type;
}
