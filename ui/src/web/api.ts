// Prometheus's API on the same origin.
import { basePath } from './base-path.ts';

export interface Completeness {
  readonly expected: number;
  readonly heard: number;
  readonly shards: readonly { readonly shard: string; readonly state: string }[];
}

export interface Answer<T> {
  readonly data: T;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  readonly completeness: Completeness | undefined;
  readonly tookMs: number;
}

/** GETs a path; throws an Error with the API's own text. */
export async function getApi<T>(
  path: string,
  params: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<Answer<T>> {
  const begunMs = performance.now();
  const query = new URLSearchParams(params).toString();
  const response = await fetch(
    `${basePath}/api/v1/${path}${query === '' ? '' : `?${query}`}`,
    signal === undefined ? {} : { signal },
  );
  const body = (await response.json()) as {
    status: string;
    data: T;
    error?: string;
    warnings?: string[];
    infos?: string[];
  };
  if (body.status !== 'success') throw new Error(body.error ?? `status ${response.status}`);
  const header = response.headers.get('x-flotilla-completeness');
  return {
    data: body.data,
    warnings: body.warnings ?? [],
    infos: body.infos ?? [],
    completeness: header === null ? undefined : (JSON.parse(header) as Completeness),
    tookMs: performance.now() - begunMs,
  };
}
