// To which shards pushed series belong: by the hash of their labels, as targets by that of their address. Pure.

import { slotOf } from '@flotilla/model';
import type { Receiver } from '@flotilla/wire';
import type { PushedSeries } from './append-write.ts';

/** Series of each shard. While a slot moves, its series belong to two. */
export function splitWrite(
  pushed: readonly PushedSeries[],
  { table, nextTable }: Receiver,
): ReadonlyMap<number, readonly PushedSeries[]> {
  const byShard = new Map<number, PushedSeries[]>();
  const add = (shard: number, series: PushedSeries): void => {
    const list = byShard.get(shard);
    if (list === undefined) byShard.set(shard, [series]);
    else list.push(series);
  };
  for (const series of pushed) {
    const slot = slotOf(series.labels.key);
    const shard = table[slot]!;
    const next = nextTable[slot] ?? shard;
    add(shard, series);
    if (next !== shard) add(next, series);
  }
  return byShard;
}
