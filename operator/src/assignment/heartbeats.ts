// The last heartbeat of every scraper.

import type { Heartbeat, TargetHealth } from '@flotilla/wire';

export interface HeardHeartbeat {
  readonly heartbeat: Heartbeat;
  readonly receivedMs: number;
  readonly health: ReadonlyMap<number, TargetHealth>;
}

/** A scraper that was silent for longer counts as not ready. */
const freshMs = 10_000;

export class Heartbeats {
  readonly #heard = new Map<string, HeardHeartbeat>();

  take(heartbeat: Heartbeat, nowMs: number): void {
    const health = new Map(heartbeat.targets.map((target) => [target.id, target]));
    this.#heard.set(keyOf(heartbeat.shard, heartbeat.replica), { heartbeat, receivedMs: nowMs, health });
  }

  get(shard: number, replica: number): HeardHeartbeat | undefined {
    return this.#heard.get(keyOf(shard, replica));
  }

  isReady(shard: number, replica: number, nowMs: number): boolean {
    const heard = this.get(shard, replica);
    if (heard === undefined || nowMs - heard.receivedMs > freshMs) return false;
    return heard.heartbeat.state === 'ready' || heard.heartbeat.state === 'draining';
  }

  /** True when the replica has tried to scrape the target at or after `sinceMs`. */
  hasTried(shard: number, replica: number, targetId: number, sinceMs: number): boolean {
    const health = this.get(shard, replica)?.health.get(targetId);
    return health !== undefined && health.lastScrapeMs >= sinceMs;
  }
}

function keyOf(shard: number, replica: number): string {
  return `${shard}/${replica}`;
}
