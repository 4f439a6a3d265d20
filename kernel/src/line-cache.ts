// Hot: what a scraper keeps per target, so that a body that looks like the last one costs one call.
//
//     const lines = new LineScanner();                   // one per thread: memory for results
//     const cache = new LineCache(lines);                // one per target
//     cache.scan(body);                                  // then read lines.refs, values, unknown…, missing
//     … parse each unknown line, create its series, cache.learn(…)
//     cache.commit();                                    // or nothing: then the scan never was
//
// Known lines give (ref, value). Everything else is reported as unknown, for the caller's parser: new lines, lines with a
// timestamp, comments, odd numbers, errors. A comment or series that shall never be seen again is learned as DROPPED.
//
// A body goes through WASM memory in parts that the caches hold: it is copied and scanned in one go.

import { randomBytes } from 'node:crypto';
import { KernelInstance, type KernelExports } from './instance.ts';
import { powersOfFive } from './powers-of-five.ts';

/** Learned for lines that nobody wants: their samples are only counted, comments are skipped. */
export const DROPPED = 0xffffffff;
/** The entry of a line that cannot be learned. */
export const NO_ENTRY = 0xffffffff;

const seed = new Uint32Array(Uint8Array.from(randomBytes(8)).buffer);

/** Where a line is that the cache does not know; offsets into the body. */
export interface UnknownLine {
  readonly start: number;
  /** Of the newline. */
  readonly end: number;
  /** What was learned for its series, if only its value is out of the ordinary (a timestamp, an odd number); else 0. */
  readonly ref: number;
  /** To learn it by; NO_ENTRY if it cannot be learned. */
  readonly entry: number;
}

/** A part of a body; a longer line makes a longer part. */
const PART_BYTES = 64 << 10;

/** Memory and results of scans. All views are valid until the next call of this scanner or its caches. */
export class LineScanner {
  private readonly kernel = new KernelInstance();
  private readonly partBytes: number;
  private partAt = 0;
  private partCapacity = 0;

  constructor(partBytes = PART_BYTES) {
    const { exports } = this.kernel;
    this.partBytes = partBytes;
    exports.seedHash(seed[0]!, seed[1]!);
    this.kernel.bytes.set(powersOfFive(), exports.powersOfFive.value >>> 0);
  }

  /** For LineCache. */
  get exports(): KernelExports {
    return this.kernel.exports;
  }

  get usedBytes(): number {
    return this.exports.usedBytes() >>> 0;
  }

  /** For LineCache: scans a body part by part. */
  scan(cache: number, body: Uint8Array): void {
    this.exports.beginScan(cache);
    let room = this.partBytes;
    for (let from = 0; ;) {
      const part = body.subarray(from, from + room);
      const isLast = from + part.length === body.length;
      const at = this.copyIn(part);
      const scanned = this.exports.scanPart(at, part.length, from, isLast ? 1 : 0) >>> 0;
      if (isLast) return;
      from += scanned;
      room = scanned === 0 ? 2 * room : this.partBytes;
    }
  }

  private copyIn(part: Uint8Array): number {
    const want = part.length + this.exports.BODY_PADDING.value;
    if (want > this.partCapacity) {
      this.exports.free(this.partAt, this.partCapacity);
      this.partCapacity = this.exports.capacityOf(want) >>> 0;
      this.partAt = this.exports.alloc(this.partCapacity) >>> 0;
    }
    this.kernel.bytes.set(part, this.partAt);
    return this.partAt;
  }

  get sampleCount(): number {
    return this.exports.sampleCount.value >>> 0;
  }

  /** Refs of the known lines that have a plain value, in body order. */
  get refs(): Uint32Array {
    return this.wordsAt(this.exports.sampleRefs.value, this.sampleCount);
  }

  /** Their values, NaN as Prometheus's ordinary NaN. */
  get values(): Float64Array {
    const at = this.exports.sampleValues.value >>> 3;
    return this.kernel.floats.subarray(at, at + this.sampleCount);
  }

  get unknownCount(): number {
    return this.exports.unknownCount.value >>> 0;
  }

  /** Unknown line i, in body order, 0 ≤ i < unknownCount. */
  unknown(i: number): UnknownLine {
    const row = this.wordsAt((this.exports.unknownLines.value >>> 0) + 16 * i, 4);
    return { start: row[0]!, end: row[1]!, ref: row[2]!, entry: row[3]! };
  }

  /** Refs of the last committed body, or of takeAbsent, that this body does not have. */
  get missing(): Uint32Array {
    return this.wordsAt(this.exports.missingRefs.value, this.exports.missingCount.value >>> 0);
  }

  /** Samples of known lines that were learned as DROPPED. */
  get droppedCount(): number {
    return this.exports.droppedCount.value >>> 0;
  }

  private wordsAt(at: number, count: number): Uint32Array {
    return this.kernel.words.subarray(at >>> 2, (at >>> 2) + count);
  }
}

/** The lines of one target. Free it with close(): WASM memory is not collected. */
export class LineCache {
  private readonly scanner: LineScanner;
  private readonly cache: number;

  constructor(scanner: LineScanner) {
    this.scanner = scanner;
    this.cache = scanner.exports.newLineCache() >>> 0;
  }

  /** Scans a body. A scan that is not committed before the next one, of any cache, is forgotten. */
  scan(body: Uint8Array): void {
    this.scanner.scan(this.cache, body);
  }

  /** During a scan: what an unknown line is from now on: a ref, DROPPED, or 0 for "report it each time". */
  learn(entry: number, ref: number): void {
    if (entry !== NO_ENTRY) this.scanner.exports.learn(entry, ref);
  }

  /** The scanned body is what the next one is compared with. Requires that no other scan came between. */
  commit(): void {
    if (this.scanner.exports.commitScan(this.cache) === 0)
      throw new Error('BUG: line cache: commit without its scan');
  }

  /**
   * For a failed scrape: the refs of the last committed body, once; they are not reported missing afterwards. Forgets
   * the scan that is going on. The lines stay known.
   */
  takeAbsent(): Uint32Array {
    this.scanner.exports.takeAbsent(this.cache);
    return this.scanner.missing;
  }

  /** Forgets all lines, and the scan that is going on: when a ref turned out to be no longer in the head. */
  clear(): void {
    this.scanner.exports.clearLineCache(this.cache);
  }

  close(): void {
    this.scanner.exports.freeLineCache(this.cache);
  }
}
