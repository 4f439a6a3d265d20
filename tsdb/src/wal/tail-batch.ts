// Hot: what was read from the tail of a WAL: columns of samples, and lists of what is rarer.
//
// The reader of the tail owns it and uses it again. Values are copied as words, so that the payload of a NaN survives.

import type { SeriesRef } from '../api.ts';
import type { RefExemplar } from './exemplar-records.ts';
import type { RefHistogram } from './histogram-records.ts';

const EMPTY_CAPACITY = 1024;
const HEADER_BYTES = 17;

export class TailBatch {
  refs: Uint32Array = new Uint32Array(EMPTY_CAPACITY);
  timesMs: Float64Array = new Float64Array(EMPTY_CAPACITY);
  values: Float64Array = new Float64Array(EMPTY_CAPACITY);
  /** Of the three columns. */
  samples = 0;
  readonly histograms: RefHistogram[] = [];
  readonly exemplars: RefExemplar[] = [];
  /** Records that could not be read. */
  malformed = 0;

  /** Samples of all kinds, and exemplars. */
  get size(): number {
    return this.samples + this.histograms.length + this.exemplars.length;
  }

  clear(): void {
    this.samples = 0;
    this.histograms.length = 0;
    this.exemplars.length = 0;
    this.malformed = 0;
  }

  /** Adds the samples of a record of type 2; all of them, or none if it is malformed. */
  addSamples(record: Uint8Array): void {
    // Two bytes of deltas and eight of value at least, for each.
    this.reserve(this.samples + Math.ceil(record.length / 10));
    const count = this.decode(record);
    if (count < 0) this.malformed++;
    else this.samples += count;
  }

  private decode(record: Uint8Array): number {
    const { length } = record;
    if (length < HEADER_BYTES) return length === 1 ? 0 : -1;
    const view = new DataView(record.buffer, record.byteOffset, length);
    const firstRef = view.getUint32(1) * 2 ** 32 + view.getUint32(5);
    const firstTimeMs = view.getInt32(9) * 2 ** 32 + view.getUint32(13);
    const words = new Uint32Array(this.values.buffer);
    let at = HEADER_BYTES;
    let n = this.samples;
    while (at < length) {
      at = this.varint(record, at);
      const ref = firstRef + this.delta;
      at = this.varint(record, at);
      if (at + 8 > length) return -1;
      this.refs[n] = ref >= 0 && ref < 2 ** 32 ? ref : 0;
      this.timesMs[n] = firstTimeMs + this.delta;
      words[2 * n + 1] = view.getUint32(at);
      words[2 * n] = view.getUint32(at + 4);
      at += 8;
      n++;
    }
    return n - this.samples;
  }

  private delta = 0;

  /** Reads a zigzag varint into `delta`; returns where it ends, far behind the record if it does not. */
  private varint(record: Uint8Array, from: number): number {
    let at = from;
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = record[at++];
      if (byte === undefined || scale > 2 ** 56) return Infinity;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 0x80;
    }
    this.delta = value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    return at;
  }

  private reserve(count: number): void {
    if (count <= this.refs.length) return;
    const capacity = Math.max(count, 2 * this.refs.length);
    this.refs = grown(this.refs, new Uint32Array(capacity));
    this.timesMs = grown(this.timesMs, new Float64Array(capacity));
    const values = new Float64Array(capacity);
    new Uint32Array(values.buffer).set(new Uint32Array(this.values.buffer));
    this.values = values;
  }

  /** Every ref that has something in the batch, once. */
  seriesRefs(): Set<SeriesRef> {
    const refs = new Set<SeriesRef>(this.refs.subarray(0, this.samples));
    for (const { ref } of this.histograms) refs.add(ref);
    for (const { ref } of this.exemplars) refs.add(ref);
    return refs;
  }
}

function grown<T extends Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
