// A block from samples that somebody has in memory: for imports.

import { packChunks } from '@flotilla/kernel';
import { compareLabels, type Labels } from '@flotilla/model';
import type { RawChunk, Schedule, SeriesSet } from './api.ts';
import { LabelledSource } from './block/block-source.ts';
import { writeBlock } from './block/block-writer.ts';
import { encodeFloats } from './chunk/samples.ts';
import { diskIo } from './io.ts';

export interface ImportedSeries {
  readonly labels: Labels;
  /** Ascending, each once. */
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/**
 * Writes a block of [minTimeMs, maxTimeMs) below `dir`, which must exist, and returns its folder. A running database finds
 * it within a minute. No two series have the same labels.
 */
export async function importBlock(
  dir: string,
  series: readonly ImportedSeries[],
  minTimeMs: number,
  maxTimeMs: number,
): Promise<string | undefined> {
  const sorted = series.toSorted((a, b) => compareLabels(a.labels, b.labels));
  const symbols = function* (): Iterable<string> {
    for (const { labels } of sorted) yield* labels.flat;
  };
  const source = new LabelledSource(symbols, () => seriesSetOf(sorted));
  return writeBlock(dir, source, { minTimeMs, maxTimeMs }, diskIo);
}

function seriesSetOf(series: readonly ImportedSeries[]): SeriesSet {
  let at = -1;
  return {
    next: () => ++at < series.length,
    get labels(): Labels {
      return series[at]!.labels;
    },
    get schedule(): Schedule | undefined {
      return undefined;
    },
    get chunks(): readonly RawChunk[] {
      const { times, values } = series[at]!;
      const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
      return encodeFloats({ times, words, count: times.length });
    },
    get chunkList(): Uint8Array {
      return packChunks(this.chunks);
    },
    close: () => {},
  };
}
