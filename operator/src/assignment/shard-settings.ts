// What a Fleet says of a shard beside its targets: where it sends its samples, and what is pushed to it. Pure.

import { compareUtf8, parseDuration, relabelRuleConfig, SLOTS } from '@flotilla/model';
import type { Receiver, RemoteWrite, ShardSettings } from '@flotilla/wire';
import type { FleetSpec } from '../discovery/fleet-spec.ts';
import { remoteWriteAuth, type RemoteWriteSpec } from '../objects/remote-write-schema.ts';

type Pairs = readonly (readonly [string, string])[];

export function shardSettings(
  fleet: FleetSpec,
  shard: number,
  receiver: Receiver | undefined,
): ShardSettings {
  return { remoteWrite: fleet.remoteWrite.map((spec) => destination(fleet, shard, spec)), receiver };
}

function destination(fleet: FleetSpec, shard: number, spec: RemoteWriteSpec): RemoteWrite {
  const { queueConfig: queue, metadataConfig: metadata, haLabels } = spec;
  const cluster = haLabels && { [haLabels.clusterLabel]: haLabels.cluster || `${fleet.name}-${shard}` };
  return {
    name: nameOf(spec),
    url: spec.url,
    timeoutMs: parseDuration(spec.remoteTimeout),
    messageVersion: spec.messageVersion === 'V2.0' ? '2.0' : '1.0',
    headers: sorted(spec.headers),
    sendExemplars: spec.sendExemplars,
    sendNativeHistograms: spec.sendNativeHistograms,
    sendMetadata: metadata.send,
    metadataIntervalMs: parseDuration(metadata.sendInterval),
    metadataPerSendMax: metadata.maxSamplesPerSend,
    queue: {
      capacity: queue.capacity,
      minShards: queue.minShards,
      maxShards: queue.maxShards,
      samplesPerSendMax: queue.maxSamplesPerSend,
      batchSendDeadlineMs: parseDuration(queue.batchSendDeadline),
      minBackoffMs: parseDuration(queue.minBackoff),
      maxBackoffMs: parseDuration(queue.maxBackoff),
      retryOnRateLimit: queue.retryOnRateLimit,
      sampleAgeLimitMs: parseDuration(queue.sampleAgeLimit),
    },
    relabelings: spec.writeRelabelConfigs.map(relabelRuleConfig),
    auth: remoteWriteAuth(spec, fleet.namespace),
    externalLabels: sorted({ ...fleet.externalLabels, ...cluster }),
    replicaLabel: haLabels?.replicaLabel ?? '',
  };
}

/**
 * Where pushed series go: `urlsOf` are those of a shard's replicas, `ownersOf` the shards of a slot, two while it moves.
 * undefined while an address is missing.
 */
export function receiverOf(
  shards: readonly number[],
  urlsOf: (shard: number) => readonly (string | undefined)[],
  ownersOf: (slot: number) => readonly number[],
): Receiver | undefined {
  const places = shards.map((shard) => ({ shard, urls: urlsOf(shard).filter((url) => url !== undefined) }));
  if (places.some(({ shard, urls }) => urls.length < urlsOf(shard).length)) return undefined;
  const owners = Array.from({ length: SLOTS }, (_, slot) => ownersOf(slot));
  const isMoving = owners.some((some) => some.length > 1);
  return {
    shards: places,
    table: owners.map((some) => some[0]!),
    nextTable: isMoving ? owners.map((some) => some.at(-1)!) : [],
  };
}

/** What a destination is known by. */
export function nameOf({ name, url }: Pick<RemoteWriteSpec, 'name' | 'url'>): string {
  return name === '' ? url : name;
}

function sorted(record: Readonly<Record<string, string>>): Pairs {
  return Object.entries(record).toSorted(([a], [b]) => compareUtf8(a, b));
}
