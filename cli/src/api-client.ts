// Requests to a querier's public API, with errors that name the server.

import { BadRequest, Unavailable } from '@flotilla/model';

/** Prometheus's envelope. */
export interface Envelope<T> {
  readonly status: 'success' | 'error';
  readonly data: T;
  readonly error?: string;
  readonly errorType?: string;
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
}

export interface Answer<T> {
  readonly envelope: Envelope<T>;
  /** The completeness header, '' when absent. */
  readonly completeness: string;
}

const timeoutMs = 130_000;

/** GETs a path of the API. Throws Unavailable when the server cannot be reached, BadRequest with its text when it refuses. */
export async function getApi<T>(
  server: string,
  path: string,
  params: Readonly<Record<string, string>>,
): Promise<Answer<T>> {
  const url = `${server.replace(/\/+$/, '')}${path}?${new URLSearchParams(params)}`;
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  } catch (cause) {
    throw new Unavailable(`${server}: cannot be reached, want a running querier (--server URL)`, { cause });
  }
  const envelope = (await response.json().catch(() => undefined)) as Envelope<T> | undefined;
  if (envelope === undefined)
    throw new Unavailable(`${server}${path}: status ${response.status} without JSON`);
  if (envelope.status !== 'success') throw new BadRequest(envelope.error ?? `status ${response.status}`);
  return { envelope, completeness: response.headers.get('x-flotilla-completeness') ?? '' };
}
