// Heartbeats to bytes and back. Format: docs/format/heartbeat.md.

import { BadRequest } from '@flotilla/model';
import type { Heartbeat, ScraperState, TargetHealth } from './heartbeat.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import { MessageType } from './schema.ts';

const heartbeatType = new MessageType<Heartbeat>('Heartbeat');
const states: readonly ScraperState[] = ['starting', 'replaying', 'ready', 'draining', 'stopping'];

export function encodeHeartbeat(heartbeat: Heartbeat): Uint8Array {
  const writer = new HeartbeatWriter();
  writer.begin(heartbeat);
  for (const target of heartbeat.targets) writer.target(target);
  return writer.finish();
}

/** Hot: for heartbeats of many targets, target by target, into memory that is used again. Zeros are left out. */
export class HeartbeatWriter {
  private readonly out = new ProtobufWriter(1 << 12);

  begin(heartbeat: Omit<Heartbeat, 'targets'>): void {
    const { fleet, shard, replica, version, state, headSeries, startedMs, sentMs } = heartbeat;
    const { out } = this;
    out.clear();
    out.text(1, fleet);
    out.varintField(2, shard);
    out.varintField(3, replica);
    out.text(4, version);
    out.text(5, state);
    out.varintField(6, headSeries);
    out.varintField(7, startedMs);
    out.varintField(8, sentMs);
  }

  target({ id, lastScrapeMs, scrapes, up, lastDurationMs, samples, error }: TargetHealth): void {
    const { out } = this;
    const lengthAt = out.begin(9);
    out.fixed32(1, id);
    if (lastScrapeMs !== 0) out.varintField(2, lastScrapeMs);
    if (scrapes !== 0) out.varintField(3, scrapes);
    if (up) out.varintField(4, 1);
    if (lastDurationMs !== 0) out.double(5, lastDurationMs);
    if (samples !== 0) out.varintField(6, samples);
    if (error !== '') out.text(7, error);
    out.end(lengthAt);
  }

  /** A view: valid until the next begin(). */
  finish(): Uint8Array {
    return this.out.finish();
  }
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
