// The heartbeat: what a scraper says of itself, every few seconds and at once after it applied an assignment.
// Format: docs/format/heartbeat.md.

export type ScraperState = 'starting' | 'replaying' | 'ready' | 'draining' | 'stopping';

export interface TargetHealth {
  readonly id: number;
  /** 0: not scraped yet. */
  readonly lastScrapeMs: number;
  /** Number of scrapes that succeeded since the target was applied. */
  readonly scrapes: number;
  readonly up: boolean;
  readonly lastDurationMs: number;
  readonly samples: number;
  readonly error: string;
}

export interface Heartbeat {
  readonly fleet: string;
  readonly shard: number;
  readonly replica: number;
  /** Version of the assignment that is applied and persisted; '' for none. */
  readonly version: string;
  readonly state: ScraperState;
  readonly headSeries: number;
  readonly startedMs: number;
  readonly sentMs: number;
  readonly targets: readonly TargetHealth[];
}
