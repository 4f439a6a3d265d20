// Hot: the chunks of a series to columns, once per series that a query reads.
//
// A series with the times of the one before it gets the same column, so that readers can tell by identity. Scraped
// together means timed alike: that is the rule, not the exception.

import { ColumnArena } from './column-arena.ts';
import { type KernelInstance, sharedInstance } from './instance.ts';

// The decoder reads up to 9 bytes beyond a position that lies within the chunk.
const PADDING_BYTES = 32;
const LOOP_MAX = 512;
/** Memory that all decoders use, one at a time and never across a pause. */
class Scratch {
  readonly kernel: KernelInstance = sharedInstance();
  sourceAt = 0;
  /** The times of the series that is decoded and of the one before, which change places. */
  timesAt = 0;
  beforeAt = 0;
  valuesAt = 0;
  /** Whose times are before. */
  owner: ColumnDecoder | undefined;
  #sourceBytes = 0;
  #samples = 0;

  reserve(samples: number): void {
    if (samples <= this.#samples) return;
    const { exports } = this.kernel;
    for (const at of [this.timesAt, this.beforeAt, this.valuesAt]) exports.free(at, this.#samples * 8);
    this.#samples = (exports.capacityOf(samples * 8) >>> 0) / 8;
    this.timesAt = exports.alloc(this.#samples * 8) >>> 0;
    this.beforeAt = exports.alloc(this.#samples * 8) >>> 0;
    this.valuesAt = exports.alloc(this.#samples * 8) >>> 0;
    this.owner = undefined;
  }

  enter(source: Uint8Array): void {
    const bytes = source.length + PADDING_BYTES;
    if (bytes > this.#sourceBytes) {
      const { exports } = this.kernel;
      exports.free(this.sourceAt, this.#sourceBytes);
      this.#sourceBytes = exports.capacityOf(bytes) >>> 0;
      this.sourceAt = exports.alloc(this.#sourceBytes) >>> 0;
    }
    this.kernel.bytes.set(source, this.sourceAt);
  }
}

let shared: Scratch | undefined;

const NONE = new Float64Array(0);

/**
 * For one answer: enter() bytes with chunk lists in them, then for each series load() its list, decode() it and keep() its
 * samples, all without pause.
 */
export class ColumnDecoder {
  /** What keep() kept last, with every NaN bit. They stay valid until the arena is released. */
  timestampsMs: Float64Array = NONE;
  values: Float64Array = NONE;
  /** Whether any of the values is NaN; stale markers are. */
  hasNaN = false;
  readonly #scratch = (shared ??= new Scratch());
  readonly #arena: ColumnArena;
  #count = 0;
  #listAt = 0;
  #listBytes = 0;
  /** Where the times that were kept last begin among the times before. */
  #timesFrom = 0;

  constructor(arena = new ColumnArena()) {
    this.#arena = arena;
  }

  /** Takes the bytes that lists are in. */
  enter(source: Uint8Array): void {
    this.#scratch.enter(source);
  }

  /** The samples of the chunk list [from, to) of the source; −1 if it is damaged, −2 if some chunks are no XOR. Safe on hostile bytes. */
  load(from: number, to: number): number {
    const { kernel, sourceAt } = this.#scratch;
    this.#listAt = sourceAt + from;
    this.#listBytes = to - from;
    this.#count = kernel.exports.chunkListSamples(this.#listAt, this.#listBytes);
    return this.#count;
  }

  /** Decodes the list that load() took, which has samples; false if it is damaged. Safe on hostile bytes. */
  decode(): boolean {
    const scratch = this.#scratch;
    scratch.reserve(this.#count);
    const { timesAt, valuesAt, kernel } = scratch;
    return kernel.exports.decodeChunkList(this.#listAt, this.#listBytes, timesAt, valuesAt) === this.#count;
  }

  /** Keeps the samples of [minTimeMs, maxTimeMs]. */
  keep(minTimeMs: number, maxTimeMs: number): void {
    const { floats, exports } = this.#scratch.kernel;
    const timesAt = this.#scratch.timesAt >>> 3;
    let from = 0;
    while (from < this.#count && floats[timesAt + from]! < minTimeMs) from++;
    let to = this.#count;
    while (to > from && floats[timesAt + to - 1]! > maxTimeMs) to--;
    const valuesAt = (this.#scratch.valuesAt >>> 3) + from;
    this.#keepTimes(from, to);
    this.values = this.#copy(valuesAt, valuesAt + to - from);
    this.hasNaN = exports.hasNaN(8 * valuesAt, to - from) !== 0;
  }

  #keepTimes(from: number, to: number): void {
    const scratch = this.#scratch;
    const { exports } = scratch.kernel;
    const [nowAt, beforeAt] = [scratch.timesAt + from * 8, scratch.beforeAt + this.#timesFrom * 8];
    const isSame =
      scratch.owner === this &&
      to - from === this.timestampsMs.length &&
      exports.equalColumns(nowAt, beforeAt, to - from) !== 0;
    if (isSame) return;
    this.timestampsMs = this.#copy(nowAt >>> 3, (nowAt >>> 3) + to - from);
    this.#timesFrom = from;
    [scratch.timesAt, scratch.beforeAt] = [scratch.beforeAt, scratch.timesAt];
    scratch.owner = this;
  }

  #copy(fromAt: number, toAt: number): Float64Array {
    const column = this.#arena.column(toAt - fromAt);
    const { floats } = this.#scratch.kernel;
    // A view to copy from costs as much as some hundred samples, and then it is garbage.
    if (column.length > LOOP_MAX) column.set(floats.subarray(fromAt, toAt));
    else for (let i = 0; i < column.length; i++) column[i] = floats[fromAt + i]!;
    return column;
  }
}
