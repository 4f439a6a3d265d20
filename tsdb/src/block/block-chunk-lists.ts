// Hot: the chunk list of a series of a block, once per series that a query reads: from the file to a window in WASM memory,
// from there, with a look at the checksums, to the list. No object per chunk.
//
// What is odd in any way is not read here: ChunkReader reads it once more, and says what is wrong.

import { CHUNK_HEADER_BYTES, ChunkGather } from '@flotilla/kernel';
import { closeSync, openSync, readSync } from 'node:fs';
import { CHUNK_BYTES_MAX, REF_SEGMENT, segmentPath } from './chunk-segments.ts';
import type { IndexSeries } from './index-series.ts';

const AREA_BYTES = 256 << 10;
/** The window grows from read to read, so that a look at one series reads little. */
const FIRST_READ_BYTES = 8 << 10;
const READ_BYTES_MAX = 128 << 10;
/** A length below 2^21, encoding, count, checksum. */
const HEAD_BYTES_MAX = 3 + 1 + 2;
const CHECKSUM_BYTES = 4;
const IDLE_MAX = 2;

/** Their memory, which is not the garbage collector's, goes from one reader to the next. */
const idle: ChunkGather[] = [];

export class BlockChunkLists {
  private readonly dir: string;
  private readonly gather = idle.pop() ?? ChunkGather.forBlocks(AREA_BYTES);
  private readonly fds = new Map<number, number>();
  private readonly onDamage = (): void => void (this.isDamaged = true);
  private isDamaged = false;
  private jobs = 0;
  // What the window has.
  private segment = -1;
  private from = 0;
  private to = 0;
  private readBytes = FIRST_READ_BYTES;

  /** `dir`: the folder of the chunk files. */
  constructor(dir: string) {
    this.dir = dir;
  }

  /** Makes the list of a series' chunks that touch a range; false if something is wrong, or there is too much. */
  read(series: IndexSeries, minTimeMs: number, maxTimeMs: number): boolean {
    this.gather.cut(0);
    this.isDamaged = false;
    let isWhole = true;
    for (let i = 0; i < series.chunkCount && isWhole; i++)
      if (series.touches(i, minTimeMs, maxTimeMs)) isWhole = this.plan(series, i);
    this.take();
    return isWhole && !this.isDamaged;
  }

  /** Whether read() found no chunk. */
  get isEmpty(): boolean {
    return this.gather.usedBytes === 0;
  }

  /** What read() made: a view, to be used at once. */
  list(): Uint8Array {
    return this.gather.bytes(0, this.gather.usedBytes);
  }

  /** Does what is planned. */
  private take(): void {
    if (this.jobs > 0) this.gather.takeFrames(this.onDamage);
    this.jobs = 0;
  }

  private plan({ minTimesMs, maxTimesMs, refs }: IndexSeries, chunk: number): boolean {
    const { gather } = this;
    const ref = refs[chunk]!;
    const segment = Math.floor(ref / REF_SEGMENT);
    const offset = ref % REF_SEGMENT;
    if (!this.has(segment, offset, HEAD_BYTES_MAX)) return false;
    let { memory, at } = gather.window(0);
    let head = at + offset - this.from;
    let length = 0;
    let lengthBytes = 0;
    let byte = 0x80;
    for (; byte >= 0x80; lengthBytes++) {
      if (lengthBytes === 3) return false;
      byte = memory[head + lengthBytes]!;
      length |= (byte & 0x7f) << (7 * lengthBytes);
    }
    const frameBytes = 1 + length;
    if (length < 2 || length > CHUNK_BYTES_MAX || gather.leftBytes < CHUNK_HEADER_BYTES + length)
      return false;
    if (!this.has(segment, offset, lengthBytes + frameBytes + CHECKSUM_BYTES)) return false;
    ({ memory, at } = gather.window(0));
    const start = offset - this.from + lengthBytes;
    head = at + start;
    const encoding = memory[head]!;
    if (encoding < 1 || encoding > 3) return false;
    const samples = (memory[head + 1]! << 8) | memory[head + 2]!;
    const place = gather.reserve(minTimesMs[chunk]!, maxTimesMs[chunk]!, samples, encoding, length);
    gather.addJob(start, frameBytes, 1, place, false);
    if (++this.jobs === ChunkGather.jobsMax) this.take();
    return true;
  }

  /** Brings some bytes of a segment into the window; false if the file has not as many. */
  private has(segment: number, offset: number, bytes: number): boolean {
    const end = offset + bytes;
    if (segment === this.segment && offset >= this.from && end <= this.to) return true;
    this.take();
    const isNext = segment === this.segment && offset >= this.from && offset - this.to < this.readBytes;
    this.readBytes = isNext ? Math.min(2 * this.readBytes, READ_BYTES_MAX) : FIRST_READ_BYTES;
    const count = Math.max(bytes, this.readBytes);
    const { memory, at } = this.gather.window(count);
    this.segment = segment;
    this.from = offset;
    this.to = offset;
    while (this.to < offset + count) {
      const got = readSync(
        this.file(segment),
        memory,
        at + this.to - offset,
        offset + count - this.to,
        this.to,
      );
      if (got === 0) break;
      this.to += got;
    }
    return end <= this.to;
  }

  /** Throws what the disk throws. */
  private file(segment: number): number {
    let fd = this.fds.get(segment);
    if (fd === undefined) this.fds.set(segment, (fd = openSync(segmentPath(this.dir, segment), 'r')));
    return fd;
  }

  close(): void {
    for (const fd of this.fds.values()) closeSync(fd);
    this.fds.clear();
    if (idle.length < IDLE_MAX) idle.push(this.gather);
    else this.gather.end();
  }
}
