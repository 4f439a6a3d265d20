// What only the operator knows, such as labels before relabeling. Queries of data do without it.

import type { InternalClient } from '@flotilla/chassis';
import { Unavailable } from '@flotilla/model';
import type { Topology } from '@flotilla/wire';

const timeoutMs = 5000;

/** The data of a GET. Throws UpstreamError or Unavailable. */
export async function askOperator<T>(
  { operatorUrl }: Topology,
  client: InternalClient,
  path: string,
): Promise<T> {
  if (operatorUrl === '') throw new Unavailable('operator: its address is not in the topology');
  const answer = await client.getJson(operatorUrl + path, { timeoutMs });
  const envelope = answer as { status?: unknown; data?: unknown };
  return (envelope.status === 'success' ? envelope.data : answer) as T;
}
