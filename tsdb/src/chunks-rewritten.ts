// Decodes every chunk of a folder's blocks and encodes it again: a check of both codecs against whoever wrote them.

import { sharedHistogramChunks } from '@flotilla/kernel';
import type { RawChunk } from './api.ts';
import { encodeFloats, floatsOf } from './chunk/samples.ts';
import { decodeHistograms } from './histogram/histogram-decoder.ts';
import { encodeChunk } from './histogram/histogram-encoder.ts';
import { ReadOnlyTsdb } from './read-only-tsdb.ts';

export interface RewriteReport {
  readonly chunks: number;
  /** Series, time and encoding of those that came out with other bytes. */
  readonly different: readonly string[];
}

/** Blocks only. */
export async function chunksRewritten(dir: string): Promise<RewriteReport> {
  const db = new ReadOnlyTsdb(dir, { info() {}, warn() {}, error() {} }, { blocksOnly: true });
  const set = await db.select([], -(2 ** 53), 2 ** 53);
  const different: string[] = [];
  let chunks = 0;
  while (set.next()) {
    for (const chunk of set.chunks) {
      chunks++;
      if (Buffer.compare(rewritten(chunk), chunk.data) !== 0)
        different.push(`${set.labels.toString()} ${chunk.minTimeMs} ${chunk.encoding}`);
    }
  }
  return { chunks, different };
}

function rewritten(chunk: RawChunk): Uint8Array {
  if (chunk.encoding === 1) return encodeFloats(floatsOf(chunk), chunk.samples)[0]?.data ?? new Uint8Array(0);
  const chunks = sharedHistogramChunks();
  const { address } = encodeChunk(chunks, decodeHistograms(chunk.encoding, chunk.data));
  const data = chunks.copy(address);
  chunks.free(address);
  return data;
}
