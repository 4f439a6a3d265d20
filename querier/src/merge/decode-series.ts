// From the series of a store's answer to columns, cut to the time range, as they arrive: what came over the wire is not kept.

import { CorruptionError, Labels, writeStale } from '@flotilla/model';
import type { FloatHistogram } from '@flotilla/model';
import { CHUNK_SAMPLES_MAX, ColumnDecoder, decodeXorChunk } from '@flotilla/promql';
import { decodeHistogramChunk, floatHistogramOf } from '@flotilla/tsdb';
import type { HistogramSample } from '@flotilla/tsdb';
import type { ColumnArena } from '@flotilla/promql';
import type { ChunkMessage, SeriesMessage } from '@flotilla/wire';
import type { Columns } from './slot-merge.ts';

type HistogramEncoding = 2 | 3;

export interface DecodeOptions {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** As in the errors of damaged chunks. */
  readonly store: string;
  readonly arena: ColumnArena;
  /** Told the bytes of columns before they are made, and of histograms; throws when they are too many. */
  readonly take: (bytes: number) => void;
}

/** A series as one store has it. */
export interface StoreSeries extends Omit<SeriesMessage, 'labels' | 'chunks'> {
  readonly labels: Labels;
  readonly columns: Columns;
}

const encodingXor = 1;
const bytesPerSample = 16;

/** Decodes the series of one answer, keeping samples of the time range. Throws CorruptionError on a damaged chunk. */
export class SeriesDecoder {
  readonly #options: DecodeOptions;
  readonly #columns: ColumnDecoder;

  constructor(options: DecodeOptions) {
    this.#options = options;
    this.#columns = new ColumnDecoder(options.arena);
  }

  decode({ labels, targetId, intervalMs, phaseMs, incomplete, chunks }: SeriesMessage): StoreSeries {
    const named = Labels.fromSorted(labels);
    return {
      labels: named,
      targetId,
      intervalMs,
      phaseMs,
      incomplete,
      columns: this.#columnsOf(named, chunks),
    };
  }

  /** Chunks are in time order. */
  #columnsOf(labels: Labels, chunks: readonly ChunkMessage[]): Columns {
    let samples = 0;
    let isFloat = true;
    for (const chunk of chunks) {
      samples += chunk.samples;
      isFloat &&= chunk.encoding === encodingXor && chunk.samples <= CHUNK_SAMPLES_MAX;
    }
    const { minTimeMs, maxTimeMs, take, store } = this.#options;
    take(samples * bytesPerSample);
    if (isFloat && this.#addAll(chunks, samples)) return this.#columns.columns(minTimeMs, maxTimeMs);
    const reader = new ColumnReader(samples, `store ${store}: series ${labels.toMetric()}`, take);
    for (const chunk of chunks) reader.read(chunk);
    return reader.between(minTimeMs, maxTimeMs);
  }

  /** False when one is damaged, which a reader that can tell more is left to say. */
  #addAll(chunks: readonly ChunkMessage[], samples: number): boolean {
    this.#columns.begin(samples);
    for (const chunk of chunks) if (this.#columns.add(chunk.data) !== chunk.samples) return false;
    return true;
  }
}

/** The way of native histograms, of both kinds together, and of damage. */
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
