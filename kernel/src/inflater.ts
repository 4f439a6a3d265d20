// Hot: inflates raw deflate streams (RFC 1951), once per compressed body, in pieces that stay in the processor's caches.
//
//     inflater.begin(bytes, 10);
//     while (!inflater.isDone) take(inflater.read(room));   // bytes that went in: inflater.readTo
//
// Bytes pass through two windows in WASM memory, so that what is held does not depend on what comes. One read() takes
// a few milliseconds at most, however hostile the stream is.

import { type KernelExports, type KernelInstance, sharedInstance } from './instance.ts';

const INPUT_BYTES = 32 << 10;
const PAST_BYTES = 32 << 10;
const PIECE_BYTES = 96 << 10;
/** The head of a block may be 563 bytes, and is read in one go. */
const INPUT_BYTES_MIN = 600;

const nothing = new Uint8Array(0);

/** `isCut`: the bytes ended before the stream did. Else they are no such stream from about `offset` on. */
export class InflateError extends Error {
  readonly isCut: boolean;
  readonly offset: number;

  constructor(isCut: boolean, offset: number) {
    super(isCut ? 'inflate: the stream is cut' : `inflate: corrupt at byte ${offset}`);
    this.isCut = isCut;
    this.offset = offset;
  }
}

/** One stream at a time. Close it: WASM memory is not collected. */
export class Inflater {
  /** Whether the stream has ended: all of it was read. */
  isDone = true;
  /** Offset in the bytes behind what was read of them; behind the whole stream when it is done. */
  readTo = 0;
  private readonly kernel: KernelInstance;
  private readonly exports: KernelExports;
  private readonly inputBytes: number;
  private readonly pieceBytes: number;
  private readonly state: number;
  private readonly inputAt: number;
  private readonly outputAt: number;
  private bytes: Uint8Array = nothing;
  /** Which of the bytes are in the input's window. */
  private windowAt = 0;
  private windowEnd = 0;
  private isStarved = true;
  /** Where the piece that was read last ends. */
  private writtenTo = 0;

  /** Sizes of the windows: at least 600 bytes of input. */
  constructor(inputBytes = INPUT_BYTES, pieceBytes = PIECE_BYTES) {
    this.kernel = sharedInstance();
    this.exports = this.kernel.exports;
    this.inputBytes = Math.max(INPUT_BYTES_MIN, inputBytes);
    this.pieceBytes = pieceBytes;
    this.state = this.exports.alloc(this.exports.INFLATE_STATE_BYTES.value) >>> 0;
    this.inputAt = this.exports.alloc(this.inputBytes) >>> 0;
    this.outputAt = this.exports.alloc(this.outputBytes) >>> 0;
  }

  private get outputBytes(): number {
    return PAST_BYTES + this.pieceBytes + this.exports.INFLATE_SLACK.value;
  }

  /** Begins with the stream that begins at `at`. The bytes must stay as they are while it is read. */
  begin(bytes: Uint8Array, at = 0): void {
    this.bytes = bytes;
    this.windowEnd = 0;
    this.beginNext(at);
  }

  /** Begins with another stream in the same bytes. */
  beginNext(at: number): void {
    this.exports.beginInflate(this.state);
    this.readTo = at;
    this.writtenTo = this.outputAt;
    this.isDone = false;
    this.isStarved = at < this.windowAt || at >= this.windowEnd;
  }

  /** Lets go of the bytes. */
  forget(): void {
    this.begin(nothing);
  }

  /**
   * The next piece, a view that is valid until the next call of this kernel: of about `room` bytes at most, a match of 258
   * more, perhaps none. Throws InflateError.
   */
  read(room = this.pieceBytes): Uint8Array {
    const { exports, inputAt, outputAt } = this;
    this.keepPast();
    if (this.isStarved) this.fillWindow();
    const window = inputAt - this.windowAt;
    const [input, inputEnd] = [window + this.readTo, window + this.windowEnd];
    const from = this.writtenTo;
    const outEnd = from + Math.min(room, this.pieceBytes);
    const result = exports.inflate(this.state, input, inputEnd, outputAt, from, outEnd);
    this.readTo = (exports.inflateReadTo.value >>> 0) - window;
    this.writtenTo = exports.inflatedTo.value >>> 0;
    if (result === exports.INFLATE_CORRUPT.value) throw new InflateError(false, this.readTo);
    this.isStarved = result === exports.INFLATE_STARVED.value;
    if (this.isStarved && this.windowEnd === this.bytes.length)
      throw new InflateError(true, this.bytes.length);
    this.isDone = result === exports.INFLATE_DONE.value;
    return this.kernel.bytes.subarray(from, this.writtenTo);
  }

  close(): void {
    this.exports.free(this.state, this.exports.INFLATE_STATE_BYTES.value);
    this.exports.free(this.inputAt, this.inputBytes);
    this.exports.free(this.outputAt, this.outputBytes);
  }

  private fillWindow(): void {
    const input = this.bytes.subarray(this.readTo, this.readTo + this.inputBytes);
    this.kernel.bytes.set(input, this.inputAt);
    this.windowAt = this.readTo;
    this.windowEnd = this.readTo + input.length;
  }

  /** Moves what matches may reach back to where the next piece follows it. */
  private keepPast(): void {
    const { outputAt, writtenTo } = this;
    if (writtenTo - outputAt <= PAST_BYTES) return;
    this.kernel.bytes.copyWithin(outputAt, writtenTo - PAST_BYTES, writtenTo);
    this.writtenTo = outputAt + PAST_BYTES;
  }
}
