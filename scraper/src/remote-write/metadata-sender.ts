// Types, helps and units of metrics, sent now and then: with 1.0 they are requests of their own.

import { compressSnappy } from '@flotilla/kernel';
import { pause } from '@flotilla/chassis';
import { createRemoteWriteEncoder, type MetadataResponse, type RemoteWrite } from '@flotilla/wire';
import type { Delivery } from './deliver.ts';
import { noCounts, type SendStats } from './send-stats.ts';

export interface MetadataSenderOptions {
  readonly config: RemoteWrite;
  readonly delivery: Delivery;
  readonly stats: SendStats;
  /** All that targets say. */
  readonly all: () => MetadataResponse['metadata'];
}

/** Runs until the signal aborts. */
export async function sendMetadata(options: MetadataSenderOptions, signal: AbortSignal): Promise<void> {
  const { config, all } = options;
  while (!signal.aborted) {
    await pause(config.metadataIntervalMs, signal);
    const entries = Object.entries(all());
    for (let from = 0; from < entries.length && !signal.aborted; from += config.metadataPerSendMax)
      await sendSome(options, entries.slice(from, from + config.metadataPerSendMax));
  }
}

type Entries = readonly (readonly [string, MetadataResponse['metadata'][string]])[];

/** Of each metric what most targets said first: a receiver keeps one. */
async function sendSome({ delivery, stats }: MetadataSenderOptions, entries: Entries): Promise<void> {
  const encoder = createRemoteWriteEncoder('1.0');
  for (const [metric, [first]] of entries) if (first !== undefined) encoder.metadata(metric, first);
  const body = compressSnappy(encoder.finish());
  stats.metadata += entries.length;
  stats.metadataBytes += body.length;
  await delivery.send(body, noCounts());
}
