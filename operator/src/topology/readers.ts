// Which readers of the topology have read an epoch. One that refuses connections is not serving, and reads the newest
// topology when it starts; one that does not answer in time may serve from an old one, so it counts as behind.

import { errorCode, errorText } from '@flotilla/chassis';
import type { InternalClient } from '@flotilla/chassis';
import type { TopologyStatus } from '@flotilla/wire';

export interface Reader {
  readonly name: string;
  readonly url: string;
}

const timeoutMs = 3000;

/** Names of those that have not, with the reason. */
export async function readersBehind(
  client: InternalClient,
  readers: readonly Reader[],
  epoch: number,
): Promise<string[]> {
  const answers = await Promise.all(readers.map((reader) => whyBehind(client, reader, epoch)));
  return answers.filter((answer) => answer !== '');
}

async function whyBehind(client: InternalClient, { name, url }: Reader, epoch: number): Promise<string> {
  try {
    const answer = await client.getJson<{ data: TopologyStatus }>(`${url}/api/v1/status/topology`, {
      timeoutMs,
    });
    return answer.data.epoch >= epoch ? '' : `${name} (at epoch ${answer.data.epoch})`;
  } catch (error) {
    return isRefused(error) ? '' : `${name} (${errorText(error)})`;
  }
}

function isRefused(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (errorCode(cause) === 'ECONNREFUSED') return true;
  return false;
}
