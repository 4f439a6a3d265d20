// Hot: a series of an index, once per series that a query reads of a block. One object stands for each in turn, as an object
// for each, its lists and its chunks would be most of the garbage of a query.

import type { Labels } from '@flotilla/model';
import type { ByteReader } from '../bytes/byte-reader.ts';
import type { ChunkMeta } from './index-writer.ts';

/** What it takes to spell a series. */
interface Speller {
  labelsOf(numbers: Uint32Array, count: number): Labels;
  labelSetOf(numbers: Uint32Array, count: number): Uint8Array;
}

/** V8 keeps arrays of up to 64 bytes in its heap, which is cheaper by far. */
const NUMBERS_FIRST = 16;
const CHUNKS_FIRST = 8;

/** Valid until its reader is asked for another series. */
export class IndexSeries {
  /** As many of each list are of the series. */
  chunkCount = 0;
  minTimesMs = new Float64Array(CHUNKS_FIRST);
  maxTimesMs = new Float64Array(CHUNKS_FIRST);
  refs = new Float64Array(CHUNKS_FIRST);
  private readonly speller: Speller;
  /** Numbers of symbols, of names and values in turn. */
  private numbers = new Uint32Array(NUMBERS_FIRST);
  private numberCount = 0;
  private decoded: Labels | undefined;

  constructor(speller: Speller) {
    this.speller = speller;
  }

  /** Becomes the series whose entry, without its length, `input` has. Throws RangeError on damage. */
  read(input: ByteReader, symbolCount: number): void {
    this.decoded = undefined;
    this.readNumbers(input, symbolCount);
    this.readChunks(input);
  }

  private readNumbers(input: ByteReader, symbolCount: number): void {
    const count = 2 * input.uvarint();
    // Each takes a byte at least: what claims to be more would be given memory for nothing.
    if (count > input.left) throw new RangeError(`${count} symbols in ${input.left} bytes`);
    if (count > this.numbers.length) this.numbers = new Uint32Array(2 * count);
    const { numbers } = this;
    for (let i = 0; i < count; i++) {
      const number = input.uvarint();
      if (number >= symbolCount) throw new RangeError(`symbol ${number} of ${symbolCount}`);
      numbers[i] = number;
    }
    this.numberCount = count;
  }

  private readChunks(input: ByteReader): void {
    const count = input.uvarint();
    if (count > input.left) throw new RangeError(`${count} chunks in ${input.left} bytes`);
    if (count > this.refs.length) this.growChunks(2 * count);
    let ref = 0;
    let timeMs = 0;
    for (let i = 0; i < count; i++) {
      timeMs += i === 0 ? input.varint() : input.uvarint();
      this.minTimesMs[i] = timeMs;
      this.maxTimesMs[i] = timeMs += input.uvarint();
      this.refs[i] = ref += i === 0 ? input.uvarint() : input.varint();
    }
    this.chunkCount = count;
  }

  private growChunks(count: number): void {
    this.minTimesMs = new Float64Array(count);
    this.maxTimesMs = new Float64Array(count);
    this.refs = new Float64Array(count);
  }

  /** Whether a chunk has a moment of the range. */
  touches(chunk: number, minTimeMs: number, maxTimeMs: number): boolean {
    return this.minTimesMs[chunk]! <= maxTimeMs && this.maxTimesMs[chunk]! >= minTimeMs;
  }

  /** As objects of their own. */
  get chunks(): ChunkMeta[] {
    return Array.from({ length: this.chunkCount }, (_, i) => ({
      minTimeMs: this.minTimesMs[i]!,
      maxTimeMs: this.maxTimesMs[i]!,
      ref: this.refs[i]!,
    }));
  }

  get labels(): Labels {
    return (this.decoded ??= this.speller.labelsOf(this.numbers, this.numberCount));
  }

  /** As model's encodeLabels gives it: a view, valid until another one is asked for. */
  get labelSet(): Uint8Array {
    return this.speller.labelSetOf(this.numbers, this.numberCount);
  }
}
