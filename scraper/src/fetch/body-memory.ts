// The memory of bodies in flight: bounded in sum, and reused, because touching fresh pages costs more than parsing them.
//
// A small body is always admitted. A large one counts against the bound, so that a few hostile targets can make each
// other fail, and nobody else.

import { ScrapeError } from './scrape-error.ts';

const smallBytes = 1 << 20;
const sparesMax = 16;
const spareBytesMax = 32 << 20;
/** Spares that this many bodies in a row did without go. */
const windowBodies = 64;

export class BodyMemory {
  readonly bytesMax: number;
  /** Bytes of large bodies that are held now. */
  largeBytes = 0;
  readonly #spares: Buffer[] = [];
  #spareBytes = 0;
  /** Of the last bodies: how many there were, and how many spares were left at the least. */
  #bodies = 0;
  #unused = Infinity;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** A buffer of at least `sizeBytes`, with anything in it. Throws ScrapeError when large bodies take up all memory. */
  acquire(sizeBytes: number): Buffer {
    // The last one given back: it is still in the processor's cache.
    const spareAt = this.#spares.findLastIndex(
      ({ length }) => length >= sizeBytes && length <= 4 * sizeBytes + 65536,
    );
    const buffer = spareAt === -1 ? Buffer.allocUnsafeSlow(this.#admit(sizeBytes)) : this.#takeSpare(spareAt);
    this.#count(buffer.length);
    this.#dropUnused();
    return buffer;
  }

  /** A start has many bodies in flight at once, and what follows few. */
  #dropUnused(): void {
    this.#unused = Math.min(this.#unused, this.#spares.length);
    if (++this.#bodies < windowBodies) return;
    for (; this.#unused > 0; this.#unused--) this.#takeSpare(0);
    this.#bodies = 0;
    this.#unused = Infinity;
  }

  release(buffer: Buffer): void {
    this.#count(-buffer.length);
    this.#spares.push(buffer);
    this.#spareBytes += buffer.length;
    while (this.#spares.length > sparesMax || this.#spareBytes > spareBytesMax) this.#takeSpare(0);
  }

  #takeSpare(at: number): Buffer {
    const [spare] = this.#spares.splice(at, 1);
    this.#spareBytes -= spare!.length;
    return spare!;
  }

  #admit(sizeBytes: number): number {
    if (sizeBytes > smallBytes && this.largeBytes + sizeBytes > this.bytesMax) {
      throw new ScrapeError(
        `body memory exhausted: ${this.largeBytes} bytes in use, want at most ${this.bytesMax}`,
      );
    }
    return sizeBytes;
  }

  #count(sizeBytes: number): void {
    if (Math.abs(sizeBytes) > smallBytes) this.largeBytes += sizeBytes;
  }
}

const nothing: Buffer = Buffer.alloc(0);

/** Collects the chunks of one body, up to a limit. Takes memory when the first one comes. */
export class BodyCollector {
  readonly #memory: BodyMemory;
  readonly #sizeHint: number;
  #buffer: Buffer = nothing;
  #length = 0;
  #isBorrowed = false;

  constructor(memory: BodyMemory, sizeHint: number) {
    this.#memory = memory;
    this.#sizeHint = sizeHint;
  }

  get length(): number {
    return this.#length;
  }

  /** Takes a body that came in one piece without a copy: it is there for as long as the piece. */
  borrow(whole: Buffer): void {
    this.#buffer = whole;
    this.#length = whole.length;
    this.#isBorrowed = true;
  }

  /** Makes a borrowed body one of our own. Throws ScrapeError when there is no memory for it. */
  keep(): void {
    if (!this.#isBorrowed) return;
    const whole = this.#buffer;
    this.#isBorrowed = false;
    this.#length = 0;
    this.#buffer = nothing;
    this.push(whole);
  }

  /** Throws ScrapeError when there is no memory for it. */
  push(chunk: Uint8Array): void {
    this.keep();
    const length = this.#length + chunk.length;
    if (length > this.#buffer.length) this.#grow(length);
    this.#buffer.set(chunk, this.#length);
    this.#length = length;
  }

  /** What was collected; valid until release(). */
  bytes(): Buffer {
    return this.#length === this.#buffer.length ? this.#buffer : this.#buffer.subarray(0, this.#length);
  }

  /** Gives the memory back; the second time does nothing. */
  release(): void {
    if (this.#buffer.length > 0 && !this.#isBorrowed) this.#memory.release(this.#buffer);
    this.#buffer = nothing;
    this.#length = 0;
    this.#isBorrowed = false;
  }

  #grow(length: number): void {
    const before = this.#buffer;
    const first = Math.max(4096, this.#sizeHint);
    const larger = this.#memory.acquire(Math.max(length, before.length === 0 ? first : 2 * before.length));
    larger.set(this.bytes());
    if (before.length > 0) this.#memory.release(before);
    this.#buffer = larger;
  }
}
