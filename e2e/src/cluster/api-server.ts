// Reads from the API server with the administrator's certificate: what the tests ask often, for which a kubectl each time is too much.

import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { apiServerUrl, stateFolder } from './environment.ts';

const file = (name: string): Buffer => readFileSync(join(stateFolder, 'pki', name));
const agent = new Agent({
  keepAlive: true,
  ca: file('ca.crt'),
  cert: file('admin.crt'),
  key: file('admin.key'),
});

export interface KubeObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  // Kinds differ; each test reads what it asked for.
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status: Readonly<Record<string, unknown>>;
}

/** The JSON at a path; an error with its status for any answer but 200. */
export async function read<T = KubeObject>(path: string, timeoutMs = 5000): Promise<T> {
  const { status, text } = await call(path, timeoutMs);
  if (status !== 200) throw new Error(`GET ${path}: ${status}: ${text.slice(0, 300)}`);
  return JSON.parse(text) as T;
}

/** The items of a list. */
export async function list<T = KubeObject>(path: string): Promise<readonly T[]> {
  return (await read<{ items: readonly T[] }>(path)).items;
}

/** Ends the connections that are kept; a test file calls it last. */
export function closeApiServer(): void {
  agent.destroy();
}

function call(path: string, timeoutMs: number): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(apiServerUrl + path, { agent, timeout: timeoutMs }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
    asked.on('timeout', () => asked.destroy(new Error(`GET ${path}: not within ${timeoutMs} ms`)));
    asked.on('error', reject).end();
  });
}
