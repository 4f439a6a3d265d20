// Reads gzip (RFC 1952) as Go does: members one behind another, each checked; whatever follows the last one is an error.

import { crc32 } from 'node:zlib';
import { type Inflater, InflateError } from '@flotilla/kernel';
import { ScrapeError } from './scrape-error.ts';

const headerBytes = 10;
const trailerBytes = 8;
const hasHeaderSum = 2;
const hasExtra = 4;
const hasName = 8;
const hasComment = 16;
/** Go's bound of a name and of a comment. */
const textBytesMax = 511;

export class GzipReader {
  readonly #inflater: Inflater;
  readonly #bytes: Buffer;
  /** Where the next member begins, or the stream of the one that is being read. */
  #at = 0;
  #isInMember = false;
  #sum = 0;
  #length = 0;

  /** The inflater is its own until it is done, or fails. */
  constructor(inflater: Inflater, bytes: Buffer) {
    this.#inflater = inflater;
    this.#bytes = bytes;
    inflater.begin(bytes);
  }

  /** Of no bytes at all it is true, too: read() says that there is nothing. */
  get isDone(): boolean {
    return !this.#isInMember && this.#at === this.#bytes.length;
  }

  /**
   * The next piece, valid until the next call of any inflater: of about `room` bytes at most, perhaps empty. Throws a
   * ScrapeError with Go's text.
   */
  read(room: number): Uint8Array {
    if (this.#bytes.length === 0) throw new ScrapeError('EOF');
    if (!this.#isInMember) this.#begin();
    const piece = this.#inflate(room);
    this.#sum = crc32(piece, this.#sum);
    this.#length += piece.length;
    if (this.#inflater.isDone) this.#end();
    return piece;
  }

  #begin(): void {
    this.#at = headerEnd(this.#bytes, this.#at);
    this.#isInMember = true;
    this.#sum = 0;
    this.#length = 0;
    this.#inflater.beginNext(this.#at);
  }

  #inflate(room: number): Uint8Array {
    try {
      return this.#inflater.read(room);
    } catch (err) {
      if (!(err instanceof InflateError)) throw err;
      const text = err.isCut
        ? 'unexpected EOF'
        : `flate: corrupt input before offset ${err.offset - this.#at}`;
      throw new ScrapeError(text, { cause: err });
    }
  }

  #end(): void {
    const at = this.#inflater.readTo;
    if (at + trailerBytes > this.#bytes.length) throw new ScrapeError('unexpected EOF');
    const isIntact =
      this.#bytes.readUInt32LE(at) === this.#sum && this.#bytes.readUInt32LE(at + 4) === this.#length >>> 0;
    if (!isIntact) throw new ScrapeError('gzip: invalid checksum');
    this.#at = at + trailerBytes;
    this.#isInMember = false;
  }
}

/** Where the member that begins at `start` has its stream. */
function headerEnd(bytes: Buffer, start: number): number {
  let at = within(bytes, start + headerBytes);
  if (bytes.readUIntBE(start, 3) !== 0x1f8b08) throw invalidHeader();
  const flags = bytes[start + 3]!;
  if ((flags & hasExtra) !== 0) {
    at = within(bytes, at + 2);
    at = within(bytes, at + bytes.readUInt16LE(at - 2));
  }
  if ((flags & hasName) !== 0) at = textEnd(bytes, at);
  if ((flags & hasComment) !== 0) at = textEnd(bytes, at);
  if ((flags & hasHeaderSum) === 0) return at;
  const end = within(bytes, at + 2);
  if (bytes.readUInt16LE(at) !== (crc32(bytes.subarray(start, at)) & 0xffff)) throw invalidHeader();
  return end;
}

function within(bytes: Buffer, end: number): number {
  if (end > bytes.length) throw new ScrapeError('unexpected EOF');
  return end;
}

function textEnd(bytes: Buffer, at: number): number {
  const length = bytes.subarray(at, at + textBytesMax + 1).indexOf(0);
  if (length >= 0) return at + length + 1;
  throw bytes.length - at > textBytesMax ? invalidHeader() : new ScrapeError('unexpected EOF');
}

function invalidHeader(): ScrapeError {
  return new ScrapeError('gzip: invalid header');
}
