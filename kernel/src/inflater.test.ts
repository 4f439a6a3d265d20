import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Inflater } from './inflater.ts';
import { KernelInstance } from './instance.ts';

/** The same for the same seed. */
function noise(length: number, below = 256): Buffer {
  let state = 7;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 13) % below;
  };
  return Buffer.from(Uint8Array.from({ length }, next));
}

const page = Buffer.from(
  Array.from(
    { length: 900 },
    (_, i) =>
      `http_request_duration_seconds_bucket{code="200",handler="/api/${i % 5}",le="${i % 12}",pod="web-${(i * 7).toString(36)}"} ${(i * 7919) % 65_521}\n`,
  ).join(''),
);

const contents: Readonly<Record<string, Buffer>> = {
  nothing: Buffer.alloc(0),
  'one byte': Buffer.from('x'),
  page,
  noise: noise(70_000),
  'few letters': noise(50_000, 5),
  zeros: Buffer.alloc(300_000),
  'short periods': Buffer.concat(
    Array.from({ length: 40 }, (_, period) => Buffer.alloc(period * 20 + 3, noise(period + 1))),
  ),
  'matches 32 KiB back': Buffer.concat([noise(32_768), noise(32_768), Buffer.from('end')]),
};

/** All of a stream, in pieces; and how many bytes of it were read. */
function inflated(inflater: Inflater, bytes: Uint8Array, room?: number): { content: Buffer; readTo: number } {
  const pieces: Buffer[] = [];
  inflater.begin(bytes);
  while (!inflater.isDone) pieces.push(Buffer.from(inflater.read(room)));
  return { content: Buffer.concat(pieces), readTo: inflater.readTo };
}

function streamsOf(content: Buffer): Buffer[] {
  const levels = Array.from({ length: 10 }, (_, level) => deflateRawSync(content, { level }));
  const { Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE, Z_FILTERED } = constants;
  const strategies = [Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE, Z_FILTERED].map((strategy) =>
    deflateRawSync(content, { strategy }),
  );
  const small = deflateRawSync(content, { memLevel: 1, windowBits: 9 });
  return [...levels, ...strategies, small];
}

describe('inflater', () => {
  for (const [name, content] of Object.entries(contents)) {
    test(`gives what went in: ${name}`, () => {
      const inflaters = [new Inflater(), new Inflater(600, 100), new Inflater(1000, 5000)];
      for (const stream of streamsOf(content)) {
        const bytes = Buffer.concat([stream, Buffer.from('behind it')]);
        for (const inflater of inflaters) {
          const got = inflated(inflater, bytes);
          expect(Buffer.compare(got.content, content)).toBe(0);
          expect(got.readTo).toBe(stream.length);
        }
      }
      for (const inflater of inflaters) inflater.close();
    });
  }

  test('stops near the room that it is given', () => {
    const inflater = new Inflater();
    const bytes = deflateRawSync(Buffer.alloc(1 << 20, 'ab'));
    const property = fc.property(fc.integer({ min: 1, max: 5000 }), (room) => {
      inflater.begin(bytes);
      const piece = inflater.read(room);
      expect(piece.length >= room && piece.length < room + 258).toBe(true);
    });
    fc.assert(property, { seed: 1, numRuns: 50 });
    inflater.close();
  });

  test('refuses what is cut, wherever that is', () => {
    const inflater = new Inflater();
    for (const stream of streamsOf(page.subarray(0, 1500))) {
      for (let length = 0; length < stream.length; length++) {
        const cut = stream.subarray(0, length);
        expect(() => inflated(inflater, cut)).toThrow('inflate: the stream is cut');
      }
    }
    inflater.close();
  });

  test('refuses what zlib refuses', () => {
    const check = (bits: string): void => {
      const bytes = bytesOf(bits);
      expect(() => inflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH })).toThrow(
        /^invalid|^too many/,
      );
      expect(() => inflated(new Inflater(), bytes)).toThrow(/^inflate: corrupt at byte \d+$/);
    };
    const many = '0'.repeat(400);
    check(`1 11 ${many}`); // No such kind of block.
    check(`1 00 00000 ${'0'.repeat(32)} ${many}`); // A stored block whose length is not said twice.
    check(`1 10 0000001 00000 ${many}`); // A match in nothing.
    check(`1 10 00110000 0000001 11110 ${many}`); // Distance 30 of 0..29.
    check(`1 10 11000110 ${many}`); // Symbol 286.
    check(`1 01 11111 00000 0000 ${many}`); // 288 literals.
    check(`1 01 00000 11111 0000 ${many}`); // 32 distances.
    check(`1 01 00000 00000 0000 ${many}`); // No code of lengths.
    check(`1 01 00000 00000 0000 100 100 100 000 ${many}`); // Too many codes.
    check(`1 01 00000 00000 0000 100 000 000 100 0 ${many}`); // A repeat of nothing.
  });

  test('takes a stream in two parts, whichever, and touches nothing else', () => {
    for (const stream of streamsOf(page.subarray(0, 1200))) {
      const memory = new SplitStream(stream);
      for (let at = 0; at <= stream.length; at++) {
        expect(Buffer.compare(memory.inflate(at), page.subarray(0, 1200))).toBe(0);
      }
    }
  });
});

/** `1 10 …`: the bits of a stream in the order in which they are read. */
function bytesOf(text: string): Buffer {
  const bits = text.replaceAll(' ', '');
  const bytes = Buffer.alloc(Math.ceil(bits.length / 8));
  for (let i = 0; i < bits.length; i++) bytes[i >> 3]! |= Number(bits[i]) << (i & 7);
  return bytes;
}

/** A stream in memory of its own, with marks around it and around its content. */
class SplitStream {
  readonly #kernel = new KernelInstance();
  readonly #state: number;
  readonly #stream: Buffer;
  readonly #input: number;
  readonly #output: number;
  /** One more than there will be: a stream whose room is used up may not have ended. */
  static readonly #roomBytes = 1201;

  constructor(stream: Buffer) {
    const { exports } = this.#kernel;
    this.#stream = stream;
    this.#state = exports.alloc(exports.INFLATE_STATE_BYTES.value);
    this.#input = exports.alloc(stream.length + 64);
    this.#output = 64 + exports.alloc(SplitStream.#roomBytes + exports.INFLATE_SLACK.value + 128);
  }

  /** The content, out of [0, at) and what is left behind it then. */
  inflate(at: number): Buffer {
    const { exports } = this.#kernel;
    exports.beginInflate(this.#state);
    this.#outside().forEach((bytes) => bytes.fill(0xa5));
    const { inflateReadTo, inflatedTo, INFLATE_STARVED, INFLATE_DONE } = exports;
    let result = this.#run(this.#input, at, this.#output, 0xff);
    if (result === INFLATE_STARVED.value)
      result = this.#run(inflateReadTo.value, this.#stream.length, inflatedTo.value, 0);
    if (result !== INFLATE_DONE.value) throw new Error(`cut at ${at}: result ${result}`);
    if (this.#outside().some((bytes) => bytes.some((byte) => byte !== 0xa5)))
      throw new Error(`cut at ${at}: wrote outside of its room`);
    return Buffer.from(this.#kernel.bytes.slice(this.#output, inflatedTo.value));
  }

  /** With `behind` where the input has ended. */
  #run(from: number, end: number, output: number, behind: number): number {
    const { bytes, exports } = this.#kernel;
    bytes.fill(behind, this.#input, this.#input + this.#stream.length + 64);
    bytes.set(this.#stream.subarray(0, end), this.#input);
    const outEnd = this.#output + SplitStream.#roomBytes;
    return exports.inflate(this.#state, from, this.#input + end, this.#output, output, outEnd);
  }

  #outside(): Uint8Array[] {
    const { bytes, exports } = this.#kernel;
    const end = this.#output + SplitStream.#roomBytes + exports.INFLATE_SLACK.value;
    return [bytes.subarray(this.#output - 64, this.#output), bytes.subarray(end, end + 64)];
  }
}
