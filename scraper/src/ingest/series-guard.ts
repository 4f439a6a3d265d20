// The guard against too many series: what targets have in the head, and how many more a scrape may create.
//
// A series counts until the head lets it go, which is an hour or two after its last sample: so churn counts, too. Series
// that are there already are never refused, so what stays within its labels goes on whatever others do.
//
// A census walks all series of the head, some milliseconds per million, at most once in 15 s; between, commits are added.

import type { Unavailable } from '@flotilla/model';
import type { Tsdb } from '@flotilla/tsdb';
import type { ScrapeCounters } from './scrape-counters.ts';

/** 0 is no limit. */
export interface SeriesLimits {
  /** Of one target. */
  readonly series: number;
  /** Of the shard that has it. */
  readonly shardSeries: number;
}

export class SeriesLimitError extends Error {
  override readonly name = 'SeriesLimitError';
}

type GuardCounters = Pick<
  ScrapeCounters,
  'exceededSeriesLimit' | 'exceededShardSeriesLimit' | 'exceededRoom'
>;

const censusMaxAgeMs = 15_000;

export class SeriesGuard {
  readonly #tsdb: Pick<Tsdb, 'seriesByTarget'>;
  readonly #counters: GuardCounters;
  #byTarget = new Map<number, number>();
  #total = 0;
  #takenAt = -Infinity;

  constructor(tsdb: Pick<Tsdb, 'seriesByTarget'>, counters: GuardCounters) {
    this.#tsdb = tsdb;
    this.#counters = counters;
  }

  /** How many series a scrape of the target may create. */
  room(targetId: number, { series, shardSeries }: SeriesLimits): number {
    if (series === 0 && shardSeries === 0) return Infinity;
    this.#renew();
    const ofTarget = series === 0 ? Infinity : series - (this.#byTarget.get(targetId) ?? 0);
    const ofShard = shardSeries === 0 ? Infinity : shardSeries - this.#total;
    return Math.max(0, Math.min(ofTarget, ofShard));
  }

  /** Why a scrape that would create more than `room` fails. */
  refuse(targetId: number, { series, shardSeries }: SeriesLimits): SeriesLimitError {
    const has = this.#byTarget.get(targetId) ?? 0;
    const ofTarget = series === 0 ? Infinity : series - has;
    if (shardSeries > 0 && shardSeries - this.#total < ofTarget) {
      this.#counters.exceededShardSeriesLimit++;
      return new SeriesLimitError(
        `shard_series_limit exceeded (series of the shard: ${this.#total} and new ones, limit: ${shardSeries})`,
      );
    }
    this.#counters.exceededSeriesLimit++;
    return new SeriesLimitError(
      `series_limit exceeded (series of the target, lately ended ones included: ${has} and new ones, limit: ${series})`,
    );
  }

  /** Why a scrape fails for whose new series the database has no room. */
  full({ message }: Unavailable): SeriesLimitError {
    this.#counters.exceededRoom++;
    return new SeriesLimitError(message);
  }

  /** A scrape that created series is committed. */
  created(targetId: number, count: number): void {
    if (count === 0) return;
    this.#byTarget.set(targetId, (this.#byTarget.get(targetId) ?? 0) + count);
    this.#total += count;
  }

  /** Series in the head by target, those of targets that are gone included. */
  census(): ReadonlyMap<number, number> {
    this.#renew();
    return this.#byTarget;
  }

  #renew(): void {
    const nowMs = performance.now();
    if (nowMs - this.#takenAt < censusMaxAgeMs) return;
    this.#takenAt = nowMs;
    this.#byTarget = this.#tsdb.seriesByTarget();
    this.#total = 0;
    for (const count of this.#byTarget.values()) this.#total += count;
  }
}
