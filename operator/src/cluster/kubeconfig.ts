// What a kubeconfig, or the pod's ServiceAccount, says of an API server and of who asks, looked at for each request: tokens and
// certificates that are rotated are taken up.
//
// @kubernetes/client-node costs some 80 MB of memory. It is loaded for those kubeconfigs alone that have a program give the
// credentials, or that go through a proxy.

import { errorText, FreshFiles } from '@flotilla/chassis';
import type { ReadFile } from '@flotilla/chassis';
import { load } from 'js-yaml';
import { existsSync, readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { dirname, resolve } from 'node:path';

export type Credentials = Pick<
  RequestOptions,
  'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername' | 'headers' | 'auth'
>;

export interface ApiAccess {
  /** `https://host:port`. */
  readonly server: string;
  readonly skipsVerify: boolean;
  /** Those of this moment. */
  credentials(): Promise<Credentials>;
}

interface Cluster {
  readonly server?: string;
  readonly 'certificate-authority'?: string;
  readonly 'certificate-authority-data'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  readonly 'tls-server-name'?: string;
  readonly 'proxy-url'?: string;
}

interface User {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly 'client-certificate'?: string;
  readonly 'client-certificate-data'?: string;
  readonly 'client-key'?: string;
  readonly 'client-key-data'?: string;
  readonly username?: string;
  readonly password?: string;
  readonly exec?: object;
  readonly 'auth-provider'?: object;
}

interface KubeConfigFile {
  readonly 'current-context'?: string;
  readonly contexts?: readonly {
    readonly name: string;
    readonly context: { readonly cluster: string; readonly user: string };
  }[];
  readonly clusters?: readonly { readonly name: string; readonly cluster: Cluster }[];
  readonly users?: readonly { readonly name: string; readonly user: User }[];
}

const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Throws when there is no cluster, or when a file that is named is missing. */
export async function openAccess(path: string): Promise<ApiAccess> {
  if (path === '') return accountAccess(process.env, accountFolder);
  const where = `kubeconfig ${path}`;
  const config = readConfig(path, where);
  const current = config.contexts?.find(({ name }) => name === config['current-context'])?.context;
  const cluster = config.clusters?.find(({ name }) => name === current?.cluster)?.cluster;
  if (cluster === undefined) throw new Error(`${where}: no current cluster, want one`);
  const user = config.users?.find(({ name }) => name === current?.user)?.user ?? {};
  const server = checkedServer(where, cluster.server ?? '');
  const skipsVerify = cluster['insecure-skip-tls-verify'] === true;
  if (user.exec !== undefined || user['auth-provider'] !== undefined || cluster['proxy-url'] !== undefined)
    return { server, skipsVerify, credentials: await programCredentials(path) };
  const files = new FreshFiles((read) => fileCredentials(cluster, user, dirname(path), read));
  return { server, skipsVerify, credentials: () => Promise.resolve(files.get()) };
}

function readConfig(path: string, where: string): KubeConfigFile {
  try {
    return load(readFileSync(path, 'utf8')) ?? {};
  } catch (error) {
    throw new Error(`${where}: ${errorText(error)}`, { cause: error });
  }
}

/** As the kubelet gives it to pods. */
export function accountAccess(env: Readonly<Record<string, string | undefined>>, folder: string): ApiAccess {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = env;
  if (host === '' || !existsSync(`${folder}/token`))
    throw new Error('no --kubeconfig, and this is no pod with a ServiceAccount: want one of them');
  const cluster = { 'certificate-authority': 'ca.crt' };
  const files = new FreshFiles((read) => fileCredentials(cluster, { tokenFile: 'token' }, folder, read));
  const server = checkedServer(
    'KUBERNETES_SERVICE_HOST',
    `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
  );
  return { server, skipsVerify: false, credentials: () => Promise.resolve(files.get()) };
}

function checkedServer(where: string, server: string): string {
  if (!URL.canParse(server)) throw new Error(`${where}: server ${server}, want a URL`);
  return server.replace(/\/+$/, '');
}

function fileCredentials(cluster: Cluster, user: User, folder: string, read: ReadFile): Credentials {
  /** Data wins over the file. */
  const part = (data: string | undefined, file: string | undefined): string | undefined => {
    if (data !== undefined) return Buffer.from(data, 'base64').toString();
    return file === undefined ? undefined : read(resolve(folder, file));
  };
  const token = user.tokenFile === undefined ? user.token : read(resolve(folder, user.tokenFile)).trim();
  const { username, password = '' } = user;
  return {
    ca: part(cluster['certificate-authority-data'], cluster['certificate-authority']),
    cert: part(user['client-certificate-data'], user['client-certificate']),
    key: part(user['client-key-data'], user['client-key']),
    servername: cluster['tls-server-name'],
    ...(cluster['insecure-skip-tls-verify'] === true && { rejectUnauthorized: false }),
    ...(token !== undefined && token !== '' && { headers: { Authorization: `Bearer ${token}` } }),
    ...(username !== undefined && { auth: `${username}:${password}` }),
  };
}

async function programCredentials(path: string): Promise<() => Promise<Credentials>> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromFile(path);
  return async () => {
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    return options;
  };
}
