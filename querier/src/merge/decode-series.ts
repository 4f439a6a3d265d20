// From the chunks of a series to its columns, cut to the time range.

import { decodeXorChunk } from '@flotilla/promql';
import type { ChunkMessage } from '@flotilla/wire';
import type { Columns } from './slot-merge.ts';

/** Decodes chunks in time order, keeping samples of [minTimeMs, maxTimeMs]. Throws CorruptionError on a damaged chunk. */
export function decodeSeries(
  chunks: readonly ChunkMessage[],
  minTimeMs: number,
  maxTimeMs: number,
  where: string,
): Columns {
  const capacity = chunks.reduce((sum, { samples }) => sum + samples, 0);
  const timestampsMs = new Float64Array(capacity);
  const values = new Float64Array(capacity);
  let count = 0;
  for (const chunk of chunks) {
    count += decodeXorChunk(chunk, timestampsMs.subarray(count), values.subarray(count), where);
  }
  let from = 0;
  while (from < count && timestampsMs[from]! < minTimeMs) from++;
  let to = count;
  while (to > from && timestampsMs[to - 1]! > maxTimeMs) to--;
  return { timestampsMs: timestampsMs.subarray(from, to), values: values.subarray(from, to) };
}
