// A database in the same process as what the engine reads: no store, no wire, no merge. Floats only.

import { ColumnArena, ColumnDecoder } from '@flotilla/kernel';
import type { Matcher } from '@flotilla/model';
import type { SelectHints, SelectResult, Series, Storage } from '@flotilla/promql';
import type { SeriesSet, Tsdb } from '@flotilla/tsdb';

export class LocalStorage implements Storage {
  private readonly db: Tsdb;
  private arena = new ColumnArena();
  /** Of all selections. */
  samples = 0;

  constructor(db: Tsdb) {
    this.db = db;
  }

  async select(matchers: readonly Matcher[], { startMs, endMs }: SelectHints): Promise<SelectResult> {
    const decoder = new ColumnDecoder(this.arena);
    const set = await this.db.select(matchers, startMs, endMs, { packed: true });
    const series: Series[] = [];
    while (set.next()) {
      decodeColumns(decoder, set, startMs, endMs);
      const { timestampsMs, values, hasNaN } = decoder;
      this.samples += values.length;
      series.push({ labels: set.labels, timestampsMs, values, hasNaN });
    }
    return { series, warnings: [] };
  }

  /** What was selected is not read any more. */
  release(): void {
    this.arena.release();
    this.arena = new ColumnArena();
    this.samples = 0;
  }
}

/** Has the decoder keep the current series of a set that was asked for packed. */
export function decodeColumns(
  decoder: ColumnDecoder,
  set: SeriesSet,
  minTimeMs: number,
  maxTimeMs: number,
): void {
  const { chunkList } = set;
  decoder.enter(chunkList);
  if (decoder.load(0, chunkList.length) < 0 || !decoder.decode())
    throw new Error(`${set.labels.toMetric()}: not floats alone`);
  decoder.keep(minTimeMs, maxTimeMs);
}
