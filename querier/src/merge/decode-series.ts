// From the series of a store's answer to columns, cut to the time range, as they arrive: what came over the wire is not kept.

import { CorruptionError, writeStale } from '@flotilla/model';
import type { FloatHistogram, Labels } from '@flotilla/model';
import { ColumnDecoder, decodeXorChunk } from '@flotilla/promql';
import { ChunkListReader, decodeHistogramChunk, floatHistogramOf } from '@flotilla/tsdb';
import type { HistogramSample } from '@flotilla/tsdb';
import type { ColumnArena, FloatColumns, Series } from '@flotilla/promql';
import type { SeriesCursor } from '@flotilla/wire';
import type { LabelCache } from './label-cache.ts';
import type { Columns } from './slot-merge.ts';

type HistogramEncoding = 2 | 3;
type Chunk = Pick<ChunkListReader, 'samples' | 'encoding' | 'minTimeMs' | 'maxTimeMs' | 'data'>;

export interface DecodeOptions {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** As in the errors of damaged chunks. */
  readonly store: string;
  readonly arena: ColumnArena;
  readonly labels: LabelCache;
  /** Told the bytes of columns before they are made, of histograms, and, as less than nothing, what of them is not held; throws when they are too many. */
  readonly take: (bytes: number) => void;
}

/** A series as one store has it; the rest as in SeriesMessage. */
export interface StoreSeries extends Series {
  readonly targetId: number;
  readonly intervalMs: number;
  readonly phaseMs: number;
  readonly incomplete: boolean;
}

const bytesPerSample = 16;

/** Decodes the series of one answer, keeping samples of the time range. Throws CorruptionError on a damaged chunk. */
export class SeriesDecoder {
  readonly #options: DecodeOptions;
  readonly #columns: ColumnDecoder;
  /** The times of the series before, which many share. */
  #times: Float64Array | undefined;

  constructor(options: DecodeOptions) {
    this.#options = options;
    this.#columns = new ColumnDecoder(options.arena);
  }

  /** Adds the series of a batch. */
  decode(series: SeriesCursor, into: StoreSeries[]): void {
    this.#columns.enter(series.payload);
    while (series.next()) {
      const labels = this.#options.labels.of(series.payload, series.labelsFrom, series.labelsTo);
      const { timestampsMs, values, histograms } = this.#columnsOf(labels, series);
      const { targetId, intervalMs, phaseMs, incomplete } = series;
      const one = { labels, timestampsMs, values, targetId, intervalMs, phaseMs, incomplete };
      into.push(histograms === undefined ? one : { ...one, histograms });
    }
  }

  #columnsOf(labels: Labels, { payload, chunksFrom, chunksTo }: SeriesCursor): Columns {
    const { minTimeMs, maxTimeMs, take, store } = this.#options;
    const samples = this.#columns.load(chunksFrom, chunksTo);
    if (samples >= 0) {
      take(samples * bytesPerSample);
      if (this.#columns.decode()) {
        const columns = this.#columns.columns(minTimeMs, maxTimeMs);
        take(this.#bytesOf(columns) - samples * bytesPerSample);
        return columns;
      }
    }
    const list = payload.subarray(chunksFrom, chunksTo);
    return readSlowly(list, `store ${store}: series ${labels.toMetric()}`, take).between(
      minTimeMs,
      maxTimeMs,
    );
  }

  /** What they add to what is held. */
  #bytesOf({ timestampsMs, values }: FloatColumns): number {
    const isShared = timestampsMs === this.#times;
    this.#times = timestampsMs;
    return values.byteLength + (isShared ? 0 : timestampsMs.byteLength);
  }
}

/** Of histograms, and of damage, of which it can tell more. */
function readSlowly(list: Uint8Array, where: string, take: (bytes: number) => void): ColumnReader {
  const headers = new ChunkListReader(list);
  let samples = 0;
  while (headers.next()) samples += checkedSamples(headers, where);
  if (headers.isDamaged)
    throw new CorruptionError(where, 0, `chunk list of ${list.length} bytes ends in a chunk`);
  take(samples * bytesPerSample);
  const reader = new ColumnReader(samples, where, take);
  const chunks = new ChunkListReader(list);
  while (chunks.next()) reader.read(chunks);
  return reader;
}

/** A sample is two bits at least: what claims to be more would be given memory for nothing. */
function checkedSamples({ samples, data }: Chunk, where: string): number {
  if (samples <= 4 * data.length) return samples;
  throw new CorruptionError(where, 0, `chunk of ${samples} samples in ${data.length} bytes`);
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

  read(chunk: Chunk): void {
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

  #readHistograms(chunk: Chunk, encoding: HistogramEncoding): void {
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

  #decoded(chunk: Chunk, encoding: HistogramEncoding): readonly HistogramSample[] {
    const samples = this.#tryDecode(chunk, encoding);
    if (samples.length === chunk.samples) return samples;
    const detail = `chunk decodes to ${samples.length} histograms, want ${chunk.samples}`;
    throw new CorruptionError(this.#where, 0, detail);
  }

  #tryDecode(
    { samples, minTimeMs, maxTimeMs, data }: Chunk,
    encoding: HistogramEncoding,
  ): readonly HistogramSample[] {
    try {
      return decodeHistogramChunk({ samples, minTimeMs, maxTimeMs, encoding, data });
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      throw new CorruptionError(this.#where, 0, error.message, { cause: error });
    }
  }
}

function isHistogramEncoding(encoding: number): encoding is HistogramEncoding {
  return encoding === 2 || encoding === 3;
}
