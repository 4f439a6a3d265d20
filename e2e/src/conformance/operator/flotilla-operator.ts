// Our operator as a real process on the same API server, and its view.

import { freePort } from '@flotilla/chassis';
import { FrameDecoder } from '@flotilla/wire';
import type { CredentialSource, Job, ProxyConfig, RulesFeed, SecretRef, TlsConfig } from '@flotilla/wire';
import { join } from 'node:path';
import { bindingsOf, comparableBindings } from './bindings.ts';
import type { ApiServer } from './api-server.ts';
import { repository } from './child-processes.ts';
import type { ChildProcesses } from './child-processes.ts';
import type { KubeClient, KubeObject } from './kube-client.ts';
import { defaultProtocols } from './oracle-view.ts';
import { oracleNamespace } from './prometheus-operator.ts';
import { flotillaRules } from './rules-view.ts';
import { wholeRelabeling } from './view.ts';
import type { PoolView, SettingsView, TargetView, View } from './view.ts';

const startTimeoutMs = 60_000;
const requestTimeoutMs = 60_000;
const fleetName = 'main';
const scraperAccount = 'flotilla-scraper';

export function fleetObject(spec: Readonly<Record<string, unknown>>): KubeObject {
  return {
    apiVersion: 'flotilla.dev/v1alpha1',
    kind: 'Fleet',
    metadata: { name: fleetName, namespace: oracleNamespace },
    spec: { shards: 1, replicas: 1, ...spec },
  };
}

interface PoolAnswer {
  readonly job: Job;
  readonly droppedCount: number;
  readonly targets: readonly TargetView[];
}

interface ScrapePoolsAnswer {
  readonly pools: readonly PoolAnswer[];
  readonly refused: readonly {
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly reason: string;
  }[];
}

export class FlotillaOperator {
  readonly url: string;
  readonly #token: string;

  private constructor(url: string, token: string) {
    this.url = url;
    this.#token = token;
  }

  static async start(processes: ChildProcesses, server: ApiServer, name: string): Promise<FlotillaOperator> {
    const port = await freePort();
    const operator = new FlotillaOperator(`http://127.0.0.1:${port}`, await scraperToken(server.client));
    processes.start(name, process.execPath, [
      join(repository, 'operator/dist/main.js'),
      ...['--kubernetes', `--kubeconfig=${server.kubeconfig}`, `--namespace=${oracleNamespace}`],
      ...[`--identity=${name}`, `--web.listen-address=127.0.0.1:${port}`, '--image=localhost/flotilla:none'],
    ]);
    await processes.wait(name, 'scrape pools', startTimeoutMs, async () =>
      (await operator.get('/api/v1/scrape_pools')).ok ? true : undefined,
    );
    return operator;
  }

  /** A request as a scraper of the fleet. */
  get(path: string, signal = AbortSignal.timeout(requestTimeoutMs)): Promise<Response> {
    const headers = { authorization: `Bearer ${this.#token}` };
    return fetch(`${this.url}${path}`, { headers, signal });
  }

  /** The first frame that a scraper of this shard gets: its whole assignment, as bytes. */
  async assignment(fleet: string, shard: number): Promise<Uint8Array> {
    const enough = new AbortController();
    const path = `/assignment/v1/stream?fleet=${fleet}&shard=${shard}&replica=0&version=`;
    const either = AbortSignal.any([enough.signal, AbortSignal.timeout(requestTimeoutMs)]);
    const { status, body } = await this.get(path, either);
    if (status !== 200 || body === null) throw new Error(`GET ${path}: status ${status}, want 200`);
    const frames = new FrameDecoder();
    try {
      for await (const chunk of body) {
        const [first] = frames.push(chunk as Uint8Array);
        if (first !== undefined) return first;
      }
    } finally {
      enough.abort();
    }
    throw new Error(`GET ${path}: ended before its first frame`);
  }

  async scrapePools(): Promise<ScrapePoolsAnswer> {
    const answer = await this.get('/api/v1/scrape_pools');
    return ((await answer.json()) as { data: ScrapePoolsAnswer }).data;
  }

  async view(client: KubeClient): Promise<View> {
    const [{ pools, refused }, rules, bindings] = await Promise.all([
      this.scrapePools(),
      this.get('/rules/v1'),
      bindingsOf(client, fleetName),
    ]);
    const secrets = new Credentials(client);
    const views = await Promise.all(pools.map((pool) => poolView(pool, secrets)));
    return {
      pools: new Map(views.map((pool) => [pool.job, pool])),
      refused: new Map(
        refused.map(({ kind, namespace, name, reason }) => [`${kind} ${namespace}/${name}`, reason]),
      ),
      bindings: comparableBindings(bindings),
      // None before it has read everything.
      rules: rules.ok ? flotillaRules((await rules.json()) as RulesFeed) : new Map(),
    };
  }
}

/** A token of the ServiceAccount that scrapers have; the account is made when it is missing. */
async function scraperToken(client: KubeClient): Promise<string> {
  const accounts = `/api/v1/namespaces/${oracleNamespace}/serviceaccounts`;
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: scraperAccount } };
  await client.send('POST', accounts, account).catch((error: unknown) => {
    if (!String(error).includes('409')) throw error;
  });
  const ask = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences: ['flotilla-operator'], expirationSeconds: 3600 },
  };
  const answer = await client.send('POST', `${accounts}/${scraperAccount}/token`, ask);
  return (JSON.parse(answer) as { status: { token: string } }).status.token;
}

async function poolView({ job, droppedCount, targets }: PoolAnswer, secrets: Credentials): Promise<PoolView> {
  const { name, scrapeProtocols, metricRelabelings, auth, limits, ...same } = job;
  // Prometheus has no limits of series.
  const { series: _, shardSeries: __, ...sameLimits } = limits;
  const settings = {
    ...same,
    limits: sameLimits,
    scrapeProtocols:
      scrapeProtocols.length === 0 ? defaultProtocols(job.scrapeNativeHistograms) : scrapeProtocols,
    metricRelabelings: metricRelabelings.map(wholeRelabeling),
    auth: await authView(auth, secrets),
  };
  const compared = targets.map(({ url, labels, intervalMs, timeoutMs }) => ({
    ...{ url, labels, intervalMs, timeoutMs },
  }));
  return { job: name, targets: compared, droppedCount, settings };
}

async function authView(
  { basic, authorization, oauth2, tls, proxy }: Job['auth'],
  secrets: Credentials,
): Promise<SettingsView> {
  const text = (source: CredentialSource | undefined): Promise<string | undefined> => secrets.text(source);
  return {
    basic: basic && { username: await text(basic.username), password: await text(basic.password) },
    authorization: authorization && {
      type: authorization.type,
      credentials: await text(authorization.credentials),
    },
    oauth2: oauth2 && {
      ...oauth2,
      clientId: await text(oauth2.clientId),
      clientSecret: await text(oauth2.clientSecret),
      tls: await tlsView(oauth2.tls, secrets),
      proxy: await proxyView(oauth2.proxy, secrets),
    },
    tls: await tlsView(tls, secrets),
    proxy: await proxyView(proxy, secrets),
  };
}

async function proxyView(
  proxy: ProxyConfig | undefined,
  secrets: Credentials,
): Promise<SettingsView | undefined> {
  if (proxy === undefined) return undefined;
  const headers = (proxy.connectHeaders ?? []).map(async ({ name, values }) => [
    name,
    await Promise.all(values.map((value) => secrets.text(value))),
  ]);
  return { ...proxy, connectHeaders: Object.fromEntries(await Promise.all(headers)) as SettingsView };
}

async function tlsView(tls: TlsConfig | undefined, secrets: Credentials): Promise<SettingsView | undefined> {
  if (tls === undefined) return undefined;
  const [ca, cert, key] = await Promise.all([tls.ca, tls.cert, tls.key].map((one) => secrets.text(one)));
  return { ...tls, ca, cert, key };
}

/** Resolves references as a scraper would. */
class Credentials {
  readonly #client: KubeClient;
  readonly #objects = new Map<string, Promise<Record<string, string>>>();

  constructor(client: KubeClient) {
    this.#client = client;
  }

  async text(source: CredentialSource | undefined): Promise<string | undefined> {
    if (source === undefined) return undefined;
    if ('file' in source) return `file ${source.file}`;
    if ('value' in source) return source.value;
    const { secret } = source;
    return (await this.#object(secret))[secret.key] ?? `no key ${secret.key}`;
  }

  #object({ kind, namespace, name }: SecretRef): Promise<Record<string, string>> {
    const path = `/api/v1/namespaces/${namespace}/${kind.toLowerCase()}s/${name}`;
    const object = this.#objects.get(path) ?? this.#read(kind, path);
    this.#objects.set(path, object);
    return object;
  }

  async #read(kind: string, path: string): Promise<Record<string, string>> {
    const { data } = await this.#client.get<{ data: Record<string, string> }>(path);
    if (kind === 'ConfigMap') return data;
    const plain = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]);
    return Object.fromEntries(plain) as Record<string, string>;
  }
}
