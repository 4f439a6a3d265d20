// Reads what ByteWriter writes. Every read checks the bounds: a RangeError means that the bytes are damaged.

const SAFE_MAX = Number.MAX_SAFE_INTEGER;

export class ByteReader {
  private readonly buffer: Buffer;
  offset = 0;
  private end = 0;

  constructor(bytes: Uint8Array, from = 0, to = bytes.length) {
    this.buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.enter(from, to);
  }

  /** Goes on at `from`, and ends at `to`. */
  enter(from: number, to: number): void {
    if (from > to || to > this.buffer.length)
      throw new RangeError(`bytes ${from}..${to} of ${this.buffer.length}`);
    this.offset = from;
    this.end = to;
  }

  get left(): number {
    return this.end - this.offset;
  }

  /** Steps over `bytes` and returns where they begin. */
  skip(bytes: number): number {
    const at = this.offset;
    if (bytes > this.end - at)
      throw new RangeError(`offset ${at}: want ${bytes} bytes, have ${this.end - at}`);
    this.offset += bytes;
    return at;
  }

  u8(): number {
    return this.buffer[this.skip(1)]!;
  }

  be32(): number {
    return this.buffer.readUInt32BE(this.skip(4));
  }

  /** Throws RangeError beyond 2^53. */
  be64(): number {
    return safe(this.be32() * 2 ** 32 + this.be32());
  }

  /** Two's complement. Throws RangeError beyond 2^53. */
  signed64(): number {
    const high = this.be32() | 0;
    const value = high * 2 ** 32 + this.be32();
    if (value < -SAFE_MAX) throw new RangeError(`integer ${value}, want at least ${-SAFE_MAX}`);
    return safe(value);
  }

  /** Throws RangeError beyond 2^53. */
  uvarint(): number {
    const at = this.offset;
    const first = at < this.end ? this.buffer[at]! : 0x80;
    if (first < 0x80) {
      this.offset = at + 1;
      return first;
    }
    return this.longUvarint();
  }

  private longUvarint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return safe(value);
      scale *= 0x80;
    }
    throw new RangeError(`offset ${this.offset}: varint of more than 8 bytes`);
  }

  varint(): number {
    const zigzag = this.uvarint();
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  }

  float(): number {
    return this.buffer.readDoubleBE(this.skip(8));
  }

  string(): string {
    const length = this.uvarint();
    const at = this.skip(length);
    return this.buffer.toString('utf8', at, at + length);
  }

  /** A view of the next bytes. */
  raw(length: number): Uint8Array {
    const at = this.skip(length);
    return this.buffer.subarray(at, at + length);
  }
}

function safe(value: number): number {
  if (value > SAFE_MAX) throw new RangeError(`integer ${value}, want at most ${SAFE_MAX}`);
  return value;
}
