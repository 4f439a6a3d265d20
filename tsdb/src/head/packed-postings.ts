// The slots of the series that have one label pair, in the order in which they came.
//
// As varints of the steps from one to the next, in zigzag since slots are used again: a byte or two each, where a series
// is in as many lists as it has labels.

const SMALLEST_BYTES = 8;
const VARINT_BYTES_MAX = 5;

export class PackedPostings {
  private bytes = new Uint8Array(SMALLEST_BYTES);
  private used = 0;
  private count = 0;
  private last = 0;

  /** The list that bytesView() of another one showed; takes a copy. */
  static of(bytes: Uint8Array, count: number, last: number): PackedPostings {
    const list = new PackedPostings();
    list.bytes = bytes.slice();
    list.used = bytes.length;
    list.count = count;
    list.last = last;
    return list;
  }

  get length(): number {
    return this.count;
  }

  /** The slot that was added last. */
  get lastSlot(): number {
    return this.last;
  }

  /** A view: valid until the next change. */
  bytesView(): Uint8Array {
    return this.bytes.subarray(0, this.used);
  }

  add(slot: number): void {
    if (this.used + VARINT_BYTES_MAX > this.bytes.length) this.grow();
    const step = slot - this.last;
    let rest = ((step << 1) ^ (step >> 31)) >>> 0;
    for (; rest >= 0x80; rest >>>= 7) this.bytes[this.used++] = rest | 0x80;
    this.bytes[this.used++] = rest;
    this.last = slot;
    this.count++;
  }

  private grow(): void {
    const larger = new Uint8Array(this.used + (this.used >> 3) + SMALLEST_BYTES);
    larger.set(this.bytes.subarray(0, this.used));
    this.bytes = larger;
  }

  /** Writes all slots to `out` at `at`, which has room; returns where the next would go. */
  copyTo(out: Uint32Array, at: number): number {
    const { bytes } = this;
    let slot = 0;
    let to = at;
    for (let i = 0; i < this.used; to++) {
      let zigzag = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[i++]!;
        zigzag |= (byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
      slot += (zigzag >>> 1) ^ -(zigzag & 1);
      out[to] = slot;
    }
    return to;
  }

  /** Takes out all slots whose flag is set. */
  removeFlagged(flags: Uint8Array): void {
    const slots = new Uint32Array(this.count);
    this.copyTo(slots, 0);
    this.used = 0;
    this.count = 0;
    this.last = 0;
    for (const slot of slots) if (flags[slot] === 0) this.add(slot);
    if (this.used * 2 < this.bytes.length) this.grow();
  }
}
