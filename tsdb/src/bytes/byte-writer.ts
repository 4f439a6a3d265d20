// Appends integers and strings to a growing buffer, in the encodings of Prometheus's files: big-endian, Go's varints.

/** Its length is one byte as a varint. */
const SHORT_LENGTH_MAX = 64;

export class ByteWriter {
  private buffer: Buffer<ArrayBuffer>;
  private view: DataView<ArrayBuffer>;
  private used = 0;

  constructor(capacity = 256) {
    this.buffer = Buffer.allocUnsafe(Math.max(capacity, 16));
    this.view = viewOf(this.buffer);
  }

  get length(): number {
    return this.used;
  }

  /** What was written, as a view: valid until the next write. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.buffer.subarray(0, this.used);
  }

  clear(): void {
    this.used = 0;
  }

  u8(value: number): void {
    this.reserve(1);
    this.buffer[this.used++] = value;
  }

  be32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.used, value);
    this.used += 4;
  }

  /** The first of some values. */
  be32s(values: Uint32Array, count: number): void {
    this.reserve(4 * count);
    const { view } = this;
    let { used } = this;
    for (let i = 0; i < count; i++, used += 4) view.setUint32(used, values[i]!);
    this.used = used;
  }

  /** A non-negative safe integer. */
  be64(value: number): void {
    this.be32(Math.floor(value / 2 ** 32));
    this.be32(value % 2 ** 32);
  }

  /** A safe integer, in two's complement. */
  signed64(value: number): void {
    this.be32(Math.floor(value / 2 ** 32) >>> 0);
    this.be32(value >>> 0);
  }

  /** A non-negative safe integer. */
  uvarint(value: number): void {
    this.reserve(10);
    this.used = putUvarint(this.buffer, this.used, value);
  }

  /** A safe integer, zigzag. Magnitudes up to 2^52. */
  varint(value: number): void {
    this.uvarint(zigzag(value));
  }

  /** Of each safe integer, the difference to the one before, as a varint. */
  differences(values: readonly number[]): void {
    this.reserve(10 * values.length);
    const { buffer } = this;
    let { used } = this;
    let before = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      used = putUvarint(buffer, used, zigzag(value - before));
      before = value;
    }
    this.used = used;
  }

  /** The bits of a double. */
  float(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.used, value);
    this.used += 8;
  }

  /** uvarint length, then UTF-8. */
  string(value: string): void {
    if (this.wroteShortAscii(value)) return;
    const length = Buffer.byteLength(value);
    this.uvarint(length);
    this.reserve(length);
    this.used += this.buffer.write(value, this.used, length, 'utf8');
  }

  /** Writes it if it is short and ASCII, as nearly all labels are: much cheaper than calls into Node. */
  private wroteShortAscii(value: string): boolean {
    const { length } = value;
    if (length > SHORT_LENGTH_MAX) return false;
    this.reserve(1 + length);
    const { buffer, used } = this;
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i);
      if (unit >= 0x80) return false;
      buffer[used + 1 + i] = unit;
    }
    buffer[used] = length;
    this.used += 1 + length;
    return true;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.used);
    this.used += bytes.length;
  }

  zeros(count: number): void {
    this.reserve(count);
    this.buffer.fill(0, this.used, this.used + count);
    this.used += count;
  }

  private reserve(bytes: number): void {
    if (this.used + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.used + bytes, this.buffer.length * 2));
    larger.set(this.buffer.subarray(0, this.used));
    this.buffer = larger;
    this.view = viewOf(larger);
  }
}

function viewOf({ buffer, byteOffset, length }: Buffer<ArrayBuffer>): DataView<ArrayBuffer> {
  return new DataView(buffer, byteOffset, length);
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

/** Writes a non-negative safe integer at `at`; returns where it ends. */
function putUvarint(buffer: Uint8Array, at: number, value: number): number {
  let to = at;
  let rest = value;
  for (; rest >= 2 ** 31; rest = Math.floor(rest / 0x80)) buffer[to++] = (rest % 0x80) | 0x80;
  // What is left is a small integer to the machine, too: nearly all are from the beginning.
  let low = rest | 0;
  for (; low >= 0x80; low >>>= 7) buffer[to++] = (low & 0x7f) | 0x80;
  buffer[to++] = low;
  return to;
}
