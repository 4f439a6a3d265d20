// Appends integers and strings to a growing buffer, in the encodings of Prometheus's files: big-endian, Go's varints.

/** Its length is one byte as a varint. */
const SHORT_LENGTH_MAX = 64;

export class ByteWriter {
  private buffer: Buffer<ArrayBuffer>;
  private used = 0;

  constructor(capacity = 256) {
    this.buffer = Buffer.allocUnsafe(Math.max(capacity, 16));
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
    this.used = this.buffer.writeUInt32BE(value, this.used);
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
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.buffer[this.used++] = (rest % 0x80) | 0x80;
    this.buffer[this.used++] = rest;
  }

  /** A safe integer, zigzag. Magnitudes up to 2^52. */
  varint(value: number): void {
    this.uvarint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** The bits of a double. */
  float(value: number): void {
    this.reserve(8);
    this.used = this.buffer.writeDoubleBE(value, this.used);
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
  }
}
