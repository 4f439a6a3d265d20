// Hot: answers as Prometheus's JSON, gzip included, written in WASM memory once per row of points or native histogram.

import { crc32 } from 'node:zlib';
import { type DeflateCodes, GZIP_HEADER, histogramCodes, pointCodes } from './deflate-codes.ts';
import { type KernelInstance, sharedInstance } from './instance.ts';
import { powersOfTen } from './powers-of-ten.ts';

/** Writers that wait for the next answer; each has 1.8 MB. */
const IDLE_MAX = 4;

interface Tables {
  readonly points: LoadedCodes;
  readonly histograms: LoadedCodes;
}

interface LoadedCodes extends DeflateCodes {
  readonly at: number;
}

const waitingMax = 256 << 10;

/** By number, as assembly/json-histogram.ts has them: how a histogram begins, its sum, its list of buckets. */
const histogramTexts = ['[', '"}],[', '"]]}],[', ',{"count":"', '","sum":"', '","buckets":['];

let tables: Tables | undefined;
const idle: number[] = [];
/** All of the memory; remade when it has grown. */
let memory = Buffer.alloc(0);

function loadTables(kernel: KernelInstance): Tables {
  const { exports } = kernel;
  const load = (codes: DeflateCodes): LoadedCodes => {
    const at = exports.alloc(exports.CODE_TABLE_BYTES.value) >>> 0;
    kernel.bytes.set(codes.table, at);
    return { ...codes, at };
  };
  const loaded = { points: load(pointCodes()), histograms: load(histogramCodes()) };
  kernel.bytes.set(powersOfTen(), exports.powersOfTen.value >>> 0);
  return loaded;
}

/**
 * Text, points and native histograms of one answer. What has been written comes out of take() and end(), as copies: JSON, or one gzip
 * stream of it, in pieces if taken when `isFull`. Whoever made it must end() or drop() it.
 */
export class JsonWriter {
  readonly #kernel = sharedInstance();
  readonly #at: number;
  readonly #gzip: boolean;
  #crc = 0;
  #sizeBytes = 0;
  #isDropped = false;
  #hasHistograms = false;
  /** What had to make room. */
  #ready: Uint8Array[] = [];

  constructor(gzip: boolean) {
    const { exports } = this.#kernel;
    tables ??= loadTables(this.#kernel);
    this.#gzip = gzip;
    this.#at = idle.pop() ?? exports.newJsonWriter() >>> 0;
    if (gzip) {
      const { at, header, bits, bitCount } = tables.points;
      exports.startJson(this.#at, 1, at, GZIP_HEADER.length + header.length, bits, bitCount);
      const outAt = exports.jsonOutAt(this.#at) >>> 0;
      this.#kernel.bytes.set(GZIP_HEADER, outAt);
      this.#kernel.bytes.set(header, outAt + GZIP_HEADER.length);
    } else exports.startJson(this.#at, 0, tables.points.at, 0, 0, 0);
  }

  get isFull(): boolean {
    return this.#ready.length > 0 || this.#isStuffed;
  }

  get #isStuffed(): boolean {
    return this.#kernel.exports.jsonTextLength(this.#at) >= waitingMax;
  }

  #makeRoom(): void {
    if (this.#isStuffed) this.#ready.push(this.#drain());
  }

  /** JSON that is not points, in at most three pieces: put together by the caller they would be copied once more. */
  text(text: string, second = '', third = ''): void {
    const { exports } = this.#kernel;
    const inputAt = exports.jsonInputAt(this.#at) >>> 0;
    if (memory.length === 0) memory = Buffer.from(exports.memory.buffer);
    const bytesMax = exports.TEXT_MAX.value;
    this.#makeRoom();
    if ((text.length + second.length + third.length) * 3 <= bytesMax) {
      let end = inputAt + memory.write(text, inputAt, 'utf8');
      if (second !== '') end += memory.write(second, end, 'utf8');
      if (third !== '') end += memory.write(third, end, 'utf8');
      exports.writeText(this.#at, end - inputAt);
      return;
    }
    this.#longText(Buffer.from(text + second + third), inputAt, bytesMax);
  }

  #longText(bytes: Uint8Array, inputAt: number, bytesMax: number): void {
    const { exports } = this.#kernel;
    for (let from = 0; from < bytes.length; from += bytesMax) {
      this.#makeRoom();
      const part = bytes.subarray(from, from + bytesMax);
      this.#kernel.bytes.set(part, inputAt);
      exports.writeText(this.#at, part.length);
    }
  }

  /** The next points or histograms are a row's first. */
  beginRow(): void {
    this.#kernel.exports.beginRow(this.#at);
  }

  /** `[seconds,"value"],…` for at most POINTS_MAX samples [from, to); the last one's `"]` is left to the caller. */
  points(timesMs: Float64Array, values: Float64Array, from: number, to: number): void {
    this.#makeRoom();
    const kernel = this.#kernel;
    const { exports, floats } = kernel;
    const inputAt = exports.jsonInputAt(this.#at) >>> 3;
    const whole = to - from === timesMs.length;
    floats.set(whole ? timesMs : timesMs.subarray(from, to), inputAt);
    floats.set(whole ? values : values.subarray(from, to), inputAt + JsonWriter.pointsMax);
    exports.writePoints(this.#at, to - from);
  }

  /** Gives a number to what a bucket prints before its count, `[0,"1","2","`. There are at most bucketTextsMax at a time. */
  learnBucket(text: string): number {
    this.#beginHistograms();
    return this.#learn(`"],${text}`);
  }

  /** The numbers of all buckets are free again. */
  forgetBuckets(): void {
    this.#kernel.exports.keepPieces(this.#at, histogramTexts.length);
  }

  /** Once in an answer. */
  #beginHistograms(): void {
    if (this.#hasHistograms) return;
    this.#hasHistograms = true;
    for (const text of histogramTexts) this.#learn(text);
    if (!this.#gzip) return;
    const { exports, bytes } = this.#kernel;
    const { at, header, bits, bitCount } = tables!.histograms;
    const inputAt = exports.jsonInputAt(this.#at) >>> 0;
    bytes.set(header, inputAt);
    bytes[inputAt + header.length] = bits;
    exports.switchToHistograms(this.#at, at, header.length * 8 + bitCount);
  }

  #learn(text: string): number {
    const { exports, bytes } = this.#kernel;
    const ascii = Buffer.from(text, 'latin1');
    const bytesMax = exports.PIECE_TEXT_MAX.value;
    if (ascii.length > bytesMax) throw new RangeError(`json: text ${text}, want at most ${bytesMax} bytes`);
    bytes.set(ascii, exports.jsonInputAt(this.#at) >>> 0);
    return exports.addPiece(this.#at, ascii.length);
  }

  /**
   * `[seconds,{"count":"1","sum":"2"`, its buckets to come, behind what ends the histogram before it in its row;
   * endHistograms() ends the last one.
   */
  histogram(timeMs: number, count: number, sum: number): void {
    this.#beginHistograms();
    this.#makeRoom();
    const { exports, floats } = this.#kernel;
    const inputAt = exports.jsonInputAt(this.#at) >>> 3;
    floats[inputAt] = timeMs;
    floats[inputAt + 1] = count;
    floats[inputAt + 2] = sum;
    exports.writeHistogram(this.#at);
  }

  /** The first `length` buckets of `counts`, at most bucketsMax, whose texts have `numbers`; without empty ones. */
  buckets(numbers: ArrayLike<number>, counts: ArrayLike<number>, length: number): void {
    const { bucketsMax } = JsonWriter;
    if (length > bucketsMax) throw new RangeError(`json: ${length} buckets, want at most ${bucketsMax}`);
    this.#makeRoom();
    const { exports, words, floats } = this.#kernel;
    const inputAt = exports.jsonInputAt(this.#at) >>> 0;
    const numbersAt = inputAt >>> 2;
    const countsAt = (inputAt + 4 * bucketsMax) >>> 3;
    for (let i = 0; i < length; i++) {
      words[numbersAt + i] = numbers[i]!;
      floats[countsAt + i] = counts[i]!;
    }
    exports.writeBuckets(this.#at, length);
  }

  /** Ends a row's last histogram, of which there is one. */
  endHistograms(): void {
    this.text(this.#kernel.exports.hasBuckets(this.#at) === 0 ? '"}]' : '"]]}]');
  }

  /** What is ready; empty if nothing is. */
  take(): Uint8Array {
    const rest = this.#drain();
    if (this.#ready.length === 0) return rest;
    const all = Buffer.concat([...this.#ready, rest]);
    this.#ready = [];
    return all;
  }

  #drain(): Uint8Array {
    const { exports, bytes } = this.#kernel;
    const textAt = exports.jsonTextAt(this.#at) >>> 0;
    const text = bytes.subarray(textAt, textAt + exports.jsonTextLength(this.#at));
    this.#sizeBytes += text.length;
    if (this.#gzip) this.#crc = crc32(text, this.#crc);
    const outAt = exports.jsonOutAt(this.#at) >>> 0;
    const out = this.#gzip ? bytes.subarray(outAt, outAt + exports.jsonOutLength(this.#at)) : text;
    const copy = Buffer.from(out);
    exports.takeJson(this.#at);
    return copy;
  }

  /** The rest. The writer must not be used again. */
  end(): Uint8Array {
    this.#kernel.exports.endJson(this.#at);
    const rest = this.take();
    this.drop();
    if (!this.#gzip) return rest;
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(this.#crc, 0);
    trailer.writeUInt32LE(this.#sizeBytes % 2 ** 32, 4);
    return Buffer.concat([rest, trailer]);
  }

  /** Gives it up, as end() does by itself; again is no harm. */
  drop(): void {
    if (this.#isDropped) return;
    this.#isDropped = true;
    if (idle.length < IDLE_MAX) idle.push(this.#at);
    else this.#kernel.exports.freeJsonWriter(this.#at);
  }

  /** Of one call of points(). */
  static readonly pointsMax = 2048;
  /** Of one call of buckets(). */
  static readonly bucketsMax = 1024;
  /** How many buckets have numbers at a time; no fewer than bucketsMax. */
  static readonly bucketTextsMax = 2048 - histogramTexts.length;
}
