// Hands pushed series to the other replicas that have their shard. What goes over is 2.0, with the internal token.

import { compressSnappy } from '@flotilla/kernel';
import { errorText, type InternalClient } from '@flotilla/chassis';
import { Labels } from '@flotilla/model';
import { createRemoteWriteEncoder, remoteWriteContentTypes } from '@flotilla/wire';
import type { AppendResult, PushedSeries } from './append-write.ts';

export const APPEND_PATH = '/receiver/v1/append';

/** What a replica said: what it did, or why it cannot be asked now. */
export type ReplicaAnswer = AppendResult | { readonly unavailable: string };

const nothingWritten = { samples: 0, histograms: 0, exemplars: 0 };

export async function forwardWrite(
  client: InternalClient,
  url: string,
  pushed: readonly PushedSeries[],
  isAtomic: boolean,
): Promise<ReplicaAnswer> {
  try {
    const answer = await client.postBytes(`${url}${APPEND_PATH}?atomic=${Number(isAtomic)}`, encode(pushed), {
      headers: { 'content-type': remoteWriteContentTypes['2.0'], 'content-encoding': 'snappy' },
    });
    const text = await textOf(answer.body);
    if (answer.status === 200) return JSON.parse(text) as AppendResult;
    if (answer.status === 400) return { written: nothingWritten, refused: [text.trim()] };
    return { unavailable: `${url}: status ${answer.status}: ${text.trim()}` };
  } catch (err) {
    return { unavailable: errorText(err) };
  }
}

function encode(pushed: readonly PushedSeries[]): Uint8Array {
  const encoder = createRemoteWriteEncoder('2.0');
  for (const { labels, series } of pushed) {
    const { timesMs, values, histograms, exemplars, metadata } = series;
    encoder.beginSeries({ labels }, metadata);
    const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
    for (const [i, timeMs] of timesMs.entries()) encoder.sample(timeMs, words[2 * i]!, words[2 * i + 1]!);
    for (const { timeMs, histogram } of histograms) encoder.histogram(timeMs, histogram);
    for (const { labels: flat, value, timeMs } of exemplars)
      encoder.exemplar({ labels: Labels.fromSorted(flat), value, timeMs });
    encoder.endSeries();
  }
  return compressSnappy(encoder.finish());
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
