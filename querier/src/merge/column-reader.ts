// Chunk lists to columns, chunk by chunk: the way of native histograms, of both kinds together, and of damage, of which it
// can tell more.

import { CorruptionError, writeStale } from '@flotilla/model';
import { type ColumnArena, decodeXorChunk, HistogramDecoder } from '@flotilla/promql';
import { ChunkListReader } from '@flotilla/tsdb';
import { type HistogramRun, HistogramRows } from './histogram-rows.ts';
import type { Columns } from './slot-merge.ts';

type Chunk = Pick<ChunkListReader, 'samples' | 'encoding' | 'data'>;

interface ReaderOptions {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly arena: ColumnArena;
  /** Told of bytes before they are held; throws when they are too many. */
  readonly take: (bytes: number) => void;
}

const bytesPerSample = 16;
const FLOAT_HISTOGRAM = 3;
const FLAG_MASK = 0xc0;
const GAUGE = 0xc0;

/** For one answer: read() each list that has not only floats. */
export class ColumnReader {
  readonly #options: ReaderOptions;
  readonly #decoder = new HistogramDecoder();
  /** Of the list at hand; larger lists get larger ones. */
  #timestampsMs: Float64Array = new Float64Array(0);
  #values: Float64Array = new Float64Array(0);
  #count = 0;
  #runs: HistogramRun[] = [];
  #where: () => string = () => '';
  /** The times of the list before, which many share. */
  #sharedMs: Float64Array = new Float64Array(0);

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** The samples of the time range. Throws CorruptionError, naming `where()`, on damage. */
  read(list: Uint8Array, where: () => string): Columns {
    this.#where = where;
    this.#count = 0;
    this.#runs = [];
    this.#reserve(this.#samplesOf(list));
    const chunks = new ChunkListReader(list);
    while (chunks.next()) {
      if (chunks.encoding === 2 || chunks.encoding === FLOAT_HISTOGRAM) this.#readHistograms(chunks);
      else this.#readFloats(chunks);
    }
    return this.#columns();
  }

  #samplesOf(list: Uint8Array): number {
    const headers = new ChunkListReader(list);
    let total = 0;
    while (headers.next()) {
      const { samples, data } = headers;
      // A sample is two bits at least: what claims to be more would be given memory for nothing.
      if (samples > 4 * data.length)
        throw this.#damaged(`chunk of ${samples} samples in ${data.length} bytes`);
      total += samples;
    }
    if (headers.isDamaged) throw this.#damaged(`chunk list of ${list.length} bytes ends in a chunk`);
    return total;
  }

  #damaged(what: string): CorruptionError {
    return new CorruptionError(this.#where(), 0, what);
  }

  #reserve(samples: number): void {
    if (samples <= this.#timestampsMs.length) return;
    this.#options.take(bytesPerSample * (samples - this.#timestampsMs.length));
    this.#timestampsMs = new Float64Array(samples);
    this.#values = new Float64Array(samples);
  }

  #readFloats(chunk: Chunk): void {
    const [times, values] = [this.#timestampsMs.subarray(this.#count), this.#values.subarray(this.#count)];
    this.#count += decodeXorChunk(chunk, times, values, this.#where());
  }

  #readHistograms({ samples, encoding, data }: Chunk): void {
    const decoder = this.#decoder;
    if (!decoder.begin(data, encoding === FLOAT_HISTOGRAM) || decoder.samples !== samples)
      throw this.#damaged(`chunk of ${data.length} bytes is not one of ${samples} histograms`);
    let isFirst = true;
    for (let count = decoder.next(); count !== 0; count = decoder.next()) {
      if (count < 0) throw this.#damaged(`histogram chunk of ${data.length} bytes`);
      this.#keep(count, isFirst);
      isFirst = false;
    }
  }

  /** Of the rows that the decoder gave, those of the time range. */
  #keep(count: number, beginsChunk: boolean): void {
    const { minTimeMs, maxTimeMs } = this.#options;
    const decoder = this.#decoder;
    const times = decoder.times();
    const hasStale = decoder.staleCount > 0;
    let from = 0;
    for (let row = 0; row < count; row++) {
      const timeMs = times[row]!;
      const isInside = timeMs >= minTimeMs && timeMs <= maxTimeMs;
      const isMarker = hasStale && decoder.isStale(row);
      if (!isInside || isMarker) {
        this.#keepRun(from, row, beginsChunk);
        from = row + 1;
        if (!isInside) continue;
      }
      this.#timestampsMs[this.#count] = timeMs;
      this.#values[this.#count] = 0;
      if (isMarker) writeStale(this.#values, this.#count);
      this.#count++;
    }
    this.#keepRun(from, count, beginsChunk);
  }

  /** Keeps the rows [from, to), whose times were the last to be noted, as they are no stale markers. */
  #keepRun(from: number, to: number, beginsChunk: boolean): void {
    if (from === to) return;
    const { layout, header } = this.#decoder;
    this.#runs.push({
      from: this.#count - (to - from),
      to: this.#count,
      layout,
      rows: this.#decoder.keep(from, to, this.#column),
      isGauge: (header & FLAG_MASK) === GAUGE,
      beginsChunk: beginsChunk && from === 0,
    });
  }

  #columns(): Columns {
    const { minTimeMs, maxTimeMs } = this.#options;
    const [timestampsMs, values] = [this.#timestampsMs, this.#values];
    let from = 0;
    while (from < this.#count && timestampsMs[from]! < minTimeMs) from++;
    let to = this.#count;
    while (to > from && timestampsMs[to - 1]! > maxTimeMs) to--;
    const columns = {
      timestampsMs: this.#timesOf(timestampsMs.subarray(from, to)),
      values: this.#kept(values.subarray(from, to)),
    };
    if (this.#runs.length === 0) return columns;
    const runs = from === 0 ? this.#runs : this.#runs.map((run) => moved(run, from));
    return { ...columns, histograms: new HistogramRows(runs, to - from) };
  }

  #timesOf(times: Float64Array): Float64Array {
    const { length } = times;
    let same = length === this.#sharedMs.length ? 0 : -1;
    while (same >= 0 && same < length && times[same] === this.#sharedMs[same]) same++;
    if (same !== length) this.#sharedMs = this.#kept(times);
    return this.#sharedMs;
  }

  #kept(column: Float64Array): Float64Array {
    const kept = this.#column(column.length);
    kept.set(column);
    return kept;
  }

  readonly #column = (length: number): Float64Array => {
    this.#options.take(8 * length);
    return this.#options.arena.column(length);
  };
}

/** The run after some samples before it were taken away. */
function moved(run: HistogramRun, by: number): HistogramRun {
  return { ...run, from: run.from - by, to: run.to - by };
}
