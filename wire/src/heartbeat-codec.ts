// Heartbeats to bytes and back. Format: docs/format/heartbeat.md.

import { BadRequest } from '@flotilla/model';
import type { Heartbeat, ScraperState, TargetHealth } from './heartbeat.ts';
import { MessageType } from './schema.ts';

const heartbeatType = new MessageType<Heartbeat>('Heartbeat');
const states: readonly ScraperState[] = ['starting', 'replaying', 'ready', 'draining', 'stopping'];

export function encodeHeartbeat(heartbeat: Heartbeat): Uint8Array {
  return heartbeatType.encode(heartbeat);
}

/** Throws BadRequest on bad bytes and on a state that it does not know. */
export function decodeHeartbeat(bytes: Uint8Array): Heartbeat {
  const message = heartbeatType.decode(bytes);
  const { fleet, shard, replica, version, state, headSeries, startedMs, sentMs } = message;
  if (!states.includes(state))
    throw new BadRequest(`Heartbeat: state "${state}", want one of ${states.join(', ')}`);
  const targets = message.targets.map(toHealth);
  return { fleet, shard, replica, version, state, headSeries, startedMs, sentMs, targets };
}

function toHealth({
  id,
  lastScrapeMs,
  scrapes,
  up,
  lastDurationMs,
  samples,
  error,
}: TargetHealth): TargetHealth {
  return { id, lastScrapeMs, scrapes, up, lastDurationMs, samples, error };
}
