// The querier's Service, asked from this machine as Grafana would ask it.

import type { ApiAnswer, ApiTarget, FleetStatus } from '../local/fleet.ts';
import { read } from './api-server.ts';
import { namespace } from './fleet.ts';

export interface ServiceObject {
  readonly spec: { readonly clusterIP: string; readonly ports: readonly { readonly port: number }[] };
}

let url: string | undefined;

/** http://<ClusterIP>:9090, looked up once: it is to be known while the API server is away. */
export async function querierUrl({ anew = false } = {}): Promise<string> {
  if (url !== undefined && !anew) return url;
  const service = await read<ServiceObject>(`/api/v1/namespaces/${namespace}/services/querier-main`);
  url = `http://${service.spec.clusterIP}:${service.spec.ports[0]?.port}`;
  return url;
}

export async function get(path: string): Promise<ApiAnswer> {
  const asked = (await querierUrl()) + path;
  const response = await fetch(asked, { signal: AbortSignal.timeout(10_000) }).catch((error: Error) => {
    throw new Error(`GET ${asked}: ${error.message}: ${error.cause}`, { cause: error });
  });
  const header = response.headers.get('x-flotilla-completeness');
  const text = await response.text();
  return {
    status: response.status,
    completeness: header === null ? undefined : (JSON.parse(header) as ApiAnswer['completeness']),
    body: parsed(path, response.status, text),
  };
}

function parsed(path: string, status: number, text: string): ApiAnswer['body'] {
  try {
    return JSON.parse(text) as ApiAnswer['body'];
  } catch (error) {
    throw new Error(`GET ${path}: ${status}: not JSON: ${text.slice(0, 200)}`, { cause: error });
  }
}

export function query(expr: string, timeMs?: number, extra = ''): Promise<ApiAnswer> {
  const time = timeMs === undefined ? '' : `&time=${timeMs / 1000}`;
  return get(`/api/v1/query?query=${encodeURIComponent(expr)}${time}${extra}`);
}

/** The value of an expression that gives one series; undefined when it gives none. */
export async function value(expr: string, timeMs?: number): Promise<number | undefined> {
  const { body } = await query(expr, timeMs);
  if (body.status !== 'success') throw new Error(`query ${expr}: ${body.errorType}: ${body.error}`);
  const text = body.data.result[0]?.value?.[1];
  return text === undefined ? undefined : Number(text);
}

export async function targets(): Promise<readonly ApiTarget[]> {
  const { body } = await get('/api/v1/targets?state=active');
  return (body.data as unknown as { activeTargets: readonly ApiTarget[] }).activeTargets;
}

export async function topology(): Promise<FleetStatus['topology']> {
  return ((await get('/api/v1/fleet')).body.data as unknown as FleetStatus).topology;
}
