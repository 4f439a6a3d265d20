// A local database as the storage of a PromQL engine: for tools and for tests, without replicas or shards.

import type { Matcher } from '@flotilla/model';
import { decodeXorChunk } from '@flotilla/promql';
import type { SelectContext, SelectHints, SelectResult, Series, Storage } from '@flotilla/promql';
import type { RawChunk, Tsdb } from '@flotilla/tsdb';

const bytesPerSample = 16;

export class TsdbStorage implements Storage {
  readonly #tsdb: Tsdb;

  constructor(tsdb: Tsdb) {
    this.#tsdb = tsdb;
  }

  async select(
    matchers: readonly Matcher[],
    hints: SelectHints,
    { budget, signal }: SelectContext,
  ): Promise<SelectResult> {
    const set = await this.#tsdb.select(matchers, hints.startMs, hints.endMs);
    const series: Series[] = [];
    try {
      while (set.next()) {
        signal.throwIfAborted();
        budget.take(
          set.chunks.reduce((sum, { samples }) => sum + samples, 0) * bytesPerSample,
          `selector {${matchers.map(String).join(',')}}`,
        );
        series.push({ labels: set.labels, ...decode(set.chunks, hints) });
      }
    } finally {
      set.close();
    }
    return { series: series.filter(({ timestampsMs }) => timestampsMs.length > 0), warnings: [] };
  }
}

function decode(
  chunks: readonly RawChunk[],
  { startMs, endMs }: SelectHints,
): { timestampsMs: Float64Array; values: Float64Array } {
  const capacity = chunks.reduce((sum, { samples }) => sum + samples, 0);
  const [timestampsMs, values] = [new Float64Array(capacity), new Float64Array(capacity)];
  let count = 0;
  for (const chunk of chunks)
    count += decodeXorChunk(chunk, timestampsMs.subarray(count), values.subarray(count), 'head or block');
  let from = 0;
  while (from < count && timestampsMs[from]! < startMs) from++;
  let to = count;
  while (to > from && timestampsMs[to - 1]! > endMs) to--;
  return { timestampsMs: timestampsMs.subarray(from, to), values: values.subarray(from, to) };
}
