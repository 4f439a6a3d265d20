import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { BlockSeriesEncoder } from './block-series.ts';
import { type ListedChunk, packChunks } from './chunk-list.ts';
import { crc32c } from './crc32c.ts';
import { decodeXor } from './decode-xor.ts';
import { encodeXor } from './encode-xor.ts';

/** Splits samples into XOR chunks of the given lengths. */
function chunksOf(times: Float64Array, values: Float64Array, lengths: readonly number[]): ListedChunk[] {
  const out: ListedChunk[] = [];
  let from = 0;
  for (const length of lengths) {
    const to = from + length;
    encodeXor(times.slice(from, to), values.slice(from, to), length, 60_000, (_, samples, data) => {
      out.push({ minTimeMs: times[from]!, maxTimeMs: times[to - 1]!, samples, encoding: 1, data });
    });
    from = to;
  }
  return out;
}

interface Frame {
  readonly encoding: number;
  readonly data: Uint8Array;
}

/** Takes frames apart as docs/format/chunks.md describes them. */
function framesOf(bytes: Uint8Array): Frame[] {
  const out: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      length |= (bytes[at]! & 0x7f) << shift;
      if (bytes[at++]! < 0x80) break;
    }
    const body = bytes.slice(at, at + 1 + length);
    at += body.length;
    expect(Buffer.from(bytes).readUInt32BE(at)).toBe(crc32c(body));
    at += 4;
    out.push({ encoding: body[0]!, data: body.subarray(1) });
  }
  return out;
}

function decoded(frames: readonly Frame[]): [times: number[], bits: bigint[]] {
  const [times, bits]: [number[], bigint[]] = [[], []];
  for (const { data } of frames) {
    const [t, v] = [new Float64Array(500), new Float64Array(500)];
    const count = decodeXor(data, t, v);
    expect(count).toBeGreaterThan(0);
    times.push(...t.subarray(0, count));
    bits.push(...new BigUint64Array(v.buffer, 0, count));
  }
  return [times, bits];
}

const step = fc.oneof(fc.constant(15_000), fc.integer({ min: 1, max: 2 ** 31 - 1 }));
const value = fc.oneof(fc.constantFrom(0, 1, 2.5, -1, Infinity), fc.integer(), fc.double({ noNaN: true }));
const samples = fc
  .array(fc.tuple(fc.array(fc.tuple(step, value), { minLength: 1, maxLength: 60 })), {
    minLength: 1,
    maxLength: 20,
  })
  .map((parts) => {
    const all = parts.flatMap(([part]) => part);
    let timeMs = 1.6e12;
    return {
      lengths: parts.map(([part]) => part.length),
      times: Float64Array.from(all, ([delta]) => (timeMs += delta)),
      values: Float64Array.from(all, ([, v]) => v),
    };
  });

describe('chunks of a block', () => {
  test('hold the samples of those that they are joined from', () => {
    const encoder = new BlockSeriesEncoder();
    const property = fc.property(samples, ({ lengths, times, values }) => {
      const chunks = chunksOf(times, values, lengths);
      expect(encoder.join(packChunks(chunks))).toBe(true);
      const frames = framesOf(encoder.frames());
      const [gotTimes, gotBits] = decoded(frames);
      expect(gotTimes).toEqual([...times]);
      expect(gotBits).toEqual([...new BigUint64Array(values.buffer)]);
      expect([encoder.chunks, encoder.samples, encoder.floatSamples]).toEqual([
        frames.length,
        times.length,
        times.length,
      ]);
      for (const { data } of frames.filter((_, i) => i > 0)) expect(data.length).toBeLessThan(1100);
    });
    fc.assert(property, { numRuns: 300 });
    encoder.end();
  });

  test('are joined up to 480 samples, with no bit more than one chunk of all samples has', () => {
    const times = Float64Array.from({ length: 600 }, (_, i) => 1.7e12 + i * 15_000);
    const values = Float64Array.from(times, (_, i) => Math.floor(i / 7));
    const encoder = new BlockSeriesEncoder();
    expect(encoder.join(packChunks(chunksOf(times, values, [120, 120, 120, 120, 120])))).toBe(true);
    const frames = framesOf(encoder.frames());
    expect(frames.map(({ data }) => (data[0]! << 8) | data[1]!)).toEqual([480, 120]);
    let best = 0;
    encodeXor(times.slice(0, 480), values.slice(0, 480), 480, 60_000, (_, __, data) => (best = data.length));
    expect(frames[0]!.data.length).toBeLessThan(best + 12); // Three windows of their own.
    encoder.end();
  });

  test('of other encodings, or too large, stay as they are', () => {
    const big = { minTimeMs: 1, maxTimeMs: 2, samples: 9, encoding: 2, data: new Uint8Array(70_000).fill(7) };
    const lone = chunksOf(Float64Array.of(5), Float64Array.of(1), [1])[0]!;
    const encoder = new BlockSeriesEncoder();
    expect(encoder.join(packChunks([big, lone, { ...big, encoding: 3 }]))).toBe(true);
    const frames = framesOf(encoder.frames());
    expect(frames.map(({ encoding }) => encoding)).toEqual([2, 1, 3]);
    expect(frames[0]!.data).toEqual(big.data);
    expect([encoder.samples, encoder.floatSamples]).toEqual([19, 1]);
    encoder.end();
  });

  test('that are damaged are refused', () => {
    const chunks = chunksOf(Float64Array.of(1, 2, 3, 4), Float64Array.of(1, 2, 3, 4), [2, 2]);
    const encoder = new BlockSeriesEncoder();
    const check = (list: Uint8Array, want: boolean): void => expect(encoder.join(list)).toBe(want);
    check(packChunks(chunks), true);
    check(packChunks(chunks).subarray(0, -1), false);
    check(packChunks(chunks.toReversed()), false);
    check(packChunks([chunks[0]!, { ...chunks[1]!, samples: 3 }]), false);
    check(packChunks([chunks[0]!, { ...chunks[1]!, data: chunks[1]!.data.subarray(0, 9) }]), false);
    encoder.end();
  });

  test('without samples are refused, however many, and nothing beside them is written', () => {
    const empty = { minTimeMs: 1, maxTimeMs: 1, samples: 0, encoding: 1, data: new Uint8Array(0) };
    const whole = chunksOf(Float64Array.of(1, 2, 3, 4), Float64Array.of(1, 2, 3, 4), [2, 2]);
    const [before, encoder] = [new BlockSeriesEncoder(), new BlockSeriesEncoder()];
    expect(before.join(packChunks(whole))).toBe(true);
    expect(encoder.join(packChunks(Array.from({ length: 100_000 }, () => empty)))).toBe(false);
    expect(decoded(framesOf(before.frames()))[0]).toEqual([1, 2, 3, 4]);
    before.end();
    encoder.end();
  });

  test('have an index entry', () => {
    const chunks = chunksOf(Float64Array.of(1000, 2000, 9000), Float64Array.of(1, 2, 3), [3]);
    const encoder = new BlockSeriesEncoder();
    encoder.join(packChunks(chunks));
    const body = [2, 5, 0x81, 1, 6, 7, 1, 0xd0, 0x0f, 0xc0, 0x3e, 0x80, 0x80, 0x80, 0x80, 0x10];
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32BE(crc32c(Uint8Array.from(body)));
    const want = [body.length, ...body, ...checksum];
    expect([...encoder.entry(Uint32Array.of(5, 129, 6, 7), 2 ** 32)]).toEqual(want);
    encoder.end();
  });
});
