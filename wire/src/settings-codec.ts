// What a shard does beside scraping, as messages of the assignment and back.

import { BadRequest } from '@flotilla/model';
import { fromAuthMessage, fromRelabelMessage } from './auth-codec.ts';
import { noSettings, type RemoteWrite, type ShardSettings } from './assignment.ts';

type Pairs = readonly (readonly [string, string])[];

interface RemoteWriteMessage extends Omit<RemoteWrite, 'headers' | 'externalLabels' | 'messageVersion'> {
  readonly messageVersion: string;
  readonly headers: readonly string[];
  readonly externalLabels: readonly string[];
}

export interface SettingsMessage {
  readonly remoteWrite: readonly RemoteWriteMessage[];
  readonly receiver?: ShardSettings['receiver'] | null;
}

/** Nothing for no settings, so that assignments without them keep their version. */
export function toSettingsMessage(settings: ShardSettings = noSettings): { settings?: SettingsMessage } {
  const { remoteWrite, receiver } = settings;
  if (remoteWrite.length === 0 && receiver === undefined) return {};
  const messages = remoteWrite.map((one) => ({
    ...one,
    headers: one.headers.flat(),
    externalLabels: one.externalLabels.flat(),
  }));
  return { settings: { remoteWrite: messages, ...(receiver !== undefined && { receiver }) } };
}

export function fromSettingsMessage(message: SettingsMessage | null | undefined): ShardSettings {
  if (!message) return noSettings;
  const { remoteWrite, receiver } = message;
  return {
    remoteWrite: remoteWrite.map(fromRemoteWrite),
    receiver: receiver
      ? {
          shards: receiver.shards.map(({ shard, urls }) => ({ shard, urls: [...urls] })),
          table: [...receiver.table],
          nextTable: [...receiver.nextTable],
        }
      : undefined,
  };
}

function fromRemoteWrite(message: RemoteWriteMessage): RemoteWrite {
  const { name, messageVersion, queue } = message;
  if (messageVersion !== '1.0' && messageVersion !== '2.0')
    throw new BadRequest(`RemoteWrite ${name}: version ${messageVersion}, want 1.0 or 2.0`);
  return {
    name,
    url: message.url,
    timeoutMs: message.timeoutMs,
    messageVersion,
    headers: pairsOf(name, message.headers),
    sendExemplars: message.sendExemplars,
    sendNativeHistograms: message.sendNativeHistograms,
    sendMetadata: message.sendMetadata,
    metadataIntervalMs: message.metadataIntervalMs,
    metadataPerSendMax: message.metadataPerSendMax,
    queue: {
      capacity: queue.capacity,
      minShards: queue.minShards,
      maxShards: queue.maxShards,
      samplesPerSendMax: queue.samplesPerSendMax,
      batchSendDeadlineMs: queue.batchSendDeadlineMs,
      minBackoffMs: queue.minBackoffMs,
      maxBackoffMs: queue.maxBackoffMs,
      retryOnRateLimit: queue.retryOnRateLimit,
      sampleAgeLimitMs: queue.sampleAgeLimitMs,
    },
    relabelings: message.relabelings.map(fromRelabelMessage),
    auth: fromAuthMessage(message.auth),
    externalLabels: pairsOf(name, message.externalLabels),
    replicaLabel: message.replicaLabel,
  };
}

function pairsOf(name: string, flat: readonly string[]): Pairs {
  if (flat.length % 2 !== 0) throw new BadRequest(`RemoteWrite ${name}: ${flat.length} strings, want pairs`);
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!] as const);
}
