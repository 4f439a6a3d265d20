// From the chunks of a series to its columns, cut to the time range.

import { CorruptionError, writeStale } from '@flotilla/model';
import type { FloatHistogram } from '@flotilla/model';
import { decodeXorChunk } from '@flotilla/promql';
import { decodeHistogramChunk, floatHistogramOf } from '@flotilla/tsdb';
import type { HistogramSample } from '@flotilla/tsdb';
import type { ChunkMessage } from '@flotilla/wire';
import type { Columns } from './slot-merge.ts';

type HistogramEncoding = 2 | 3;

/**
 * Decodes chunks in time order, keeping samples of [minTimeMs, maxTimeMs]. `take` is told the bytes of histograms.
 * Throws CorruptionError on a damaged chunk.
 */
export function decodeSeries(
  chunks: readonly ChunkMessage[],
  minTimeMs: number,
  maxTimeMs: number,
  where: string,
  take: (bytes: number) => void,
): Columns {
  const reader = new ColumnReader(
    chunks.reduce((sum, { samples }) => sum + samples, 0),
    where,
    take,
  );
  for (const chunk of chunks) reader.read(chunk);
  return reader.between(minTimeMs, maxTimeMs);
}

class ColumnReader {
  readonly #timestampsMs: Float64Array;
  readonly #values: Float64Array;
  #histograms: (FloatHistogram | undefined)[] | undefined;
  readonly #where: string;
  readonly #take: (bytes: number) => void;
  #count = 0;

  constructor(capacity: number, where: string, take: (bytes: number) => void) {
    this.#timestampsMs = new Float64Array(capacity);
    this.#values = new Float64Array(capacity);
    this.#where = where;
    this.#take = take;
  }

  read(chunk: ChunkMessage): void {
    if (isHistogramEncoding(chunk.encoding)) {
      this.#readHistograms(chunk, chunk.encoding);
      return;
    }
    const [times, values] = [this.#timestampsMs.subarray(this.#count), this.#values.subarray(this.#count)];
    this.#count += decodeXorChunk(chunk, times, values, this.#where);
  }

  between(minTimeMs: number, maxTimeMs: number): Columns {
    const timestampsMs = this.#timestampsMs;
    let from = 0;
    while (from < this.#count && timestampsMs[from]! < minTimeMs) from++;
    let to = this.#count;
    while (to > from && timestampsMs[to - 1]! > maxTimeMs) to--;
    const columns = {
      timestampsMs: timestampsMs.subarray(from, to),
      values: this.#values.subarray(from, to),
    };
    if (this.#histograms === undefined) return columns;
    this.#histograms.length = this.#count;
    return { ...columns, histograms: this.#histograms.slice(from, to) };
  }

  #readHistograms(chunk: ChunkMessage, encoding: HistogramEncoding): void {
    const histograms = (this.#histograms ??= []);
    let bytes = 0;
    for (const { timeMs, histogram } of this.#decoded(chunk, encoding)) {
      this.#timestampsMs[this.#count] = timeMs;
      if (histogram.isStale) writeStale(this.#values, this.#count);
      else {
        const one = floatHistogramOf(histogram);
        this.#values[this.#count] = NaN;
        histograms[this.#count] = one;
        bytes += one.bytes;
      }
      this.#count++;
    }
    this.#take(bytes);
  }

  #decoded(chunk: ChunkMessage, encoding: HistogramEncoding): readonly HistogramSample[] {
    const samples = this.#tryDecode({ ...chunk, encoding });
    if (samples.length === chunk.samples) return samples;
    const detail = `chunk decodes to ${samples.length} histograms, want ${chunk.samples}`;
    throw new CorruptionError(this.#where, 0, detail);
  }

  #tryDecode(chunk: ChunkMessage & { readonly encoding: HistogramEncoding }): readonly HistogramSample[] {
    try {
      return decodeHistogramChunk(chunk);
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      throw new CorruptionError(this.#where, 0, error.message, { cause: error });
    }
  }
}

function isHistogramEncoding(encoding: number): encoding is HistogramEncoding {
  return encoding === 2 || encoding === 3;
}
