import { describe, expect, test } from '@jest/globals';
import { ColumnArena } from './column-arena.ts';
import { type ListedChunk, packChunks, unpackChunks } from './chunk-list.ts';
import { ColumnDecoder } from './column-decoder.ts';
import { encodeXor } from './encode-xor.ts';

function listOf(times: readonly number[], values: readonly number[], encoding = 1): Uint8Array {
  const chunks: ListedChunk[] = [];
  encodeXor(Float64Array.from(times), Float64Array.from(values), 3, 1024, (from, samples, data) => {
    const [minTimeMs, maxTimeMs] = [times[from]!, times[from + samples - 1]!];
    chunks.push({ minTimeMs, maxTimeMs, samples, encoding, data: Uint8Array.from(data) });
  });
  return packChunks(chunks);
}

/** As the list is alone in its source. */
function load(decoder: ColumnDecoder, list: Uint8Array): number {
  decoder.enter(list);
  return decoder.load(0, list.length);
}

function decode(
  decoder: ColumnDecoder,
  times: readonly number[],
  values: readonly number[],
  min = 0,
  max = 1e13,
) {
  expect([load(decoder, listOf(times, values)), decoder.decode()]).toEqual([times.length, true]);
  decoder.keep(min, max);
  const { timestampsMs, values: kept, hasNaN } = decoder;
  return { timestampsMs, values: kept, hasNaN };
}

describe('ColumnDecoder', () => {
  const times = [10, 20, 30, 40, 50, 60, 70];
  const values = [1, NaN, -0, 4.5, 1e300, 6, 7];

  test('gives the samples of the range', () => {
    const decoder = new ColumnDecoder();
    const check = (min: number, max: number, from: number, to: number): void => {
      const columns = decode(decoder, times, values, min, max);
      expect([...columns.timestampsMs]).toEqual(times.slice(from, to));
      expect([...columns.values]).toEqual(values.slice(from, to));
    };
    check(0, 100, 0, 7);
    check(20, 60, 1, 6);
    check(11, 69, 1, 6);
    check(21, 29, 2, 2);
    check(71, 100, 7, 7);
    check(0, 9, 0, 0);
  });

  test('shares times with the series before, and with no other', () => {
    const decoder = new ColumnDecoder();
    const first = decode(decoder, times, values);
    const second = decode(decoder, times, values.toReversed());
    expect(second.timestampsMs).toBe(first.timestampsMs);
    expect([...first.values]).toEqual(values);
    expect([...second.values]).toEqual(values.toReversed());
    const other = decode(decoder, [...times.slice(0, 6), 71], values);
    expect([...other.timestampsMs]).toEqual([...times.slice(0, 6), 71]);
    expect(decode(decoder, times, values, 20).timestampsMs).toHaveLength(6);
    const cut = decode(decoder, times, values, 20);
    expect(decode(decoder, [5, ...times.slice(1)], values, 20).timestampsMs).toBe(cut.timestampsMs);
    const stranger = new ColumnDecoder();
    const theirs = decode(stranger, [5, ...times.slice(1)], values);
    const again = decode(decoder, times, values, 20);
    expect([...again.timestampsMs]).toEqual(times.slice(1));
    expect([...theirs.timestampsMs]).toEqual([5, ...times.slice(1)]);
  });

  test('tells a NaN, and another time, wherever they are', () => {
    const decoder = new ColumnDecoder();
    for (let count = 1; count <= 9; count++) {
      const plain = Array.from({ length: count }, (_, i) => i + 1);
      const first = decode(decoder, plain, plain);
      expect(first.hasNaN).toBe(false);
      for (let place = 0; place < count; place++) {
        expect(decode(decoder, plain, plain.with(place, NaN)).hasNaN).toBe(true);
        expect(decode(decoder, plain, plain.with(place, NaN), place + 2).hasNaN).toBe(false);
        const later = plain.map((time, i) => (i < place ? time : time + 1));
        expect([...decode(decoder, later, plain).timestampsMs]).toEqual(later);
      }
    }
  });

  test('goes on over slabs and long series', () => {
    const decoder = new ColumnDecoder();
    const long = Array.from({ length: 40_000 }, (_, i) => i);
    const all = Array.from({ length: 3 }, () => decode(decoder, long, long));
    const short = Array.from({ length: 500 }, (_, i) =>
      decode(
        decoder,
        times,
        values.map(() => i),
      ),
    );
    for (const columns of all) expect([...columns.values]).toEqual(long);
    short.forEach((columns, i) => expect([...columns.values]).toEqual(values.map(() => i)));
  });

  test('slabs go from a query that is over to the next, and to nobody else', () => {
    const long = Array.from({ length: 1 << 15 }, (_, i) => i);
    const arena = new ColumnArena();
    const decoder = new ColumnDecoder(arena);
    const first = decode(decoder, long, long);
    arena.release();
    expect(() => decode(decoder, times, values)).toThrow('their query is over');
    const next = decode(new ColumnDecoder(new ColumnArena()), long, long.toReversed());
    expect([first.values.buffer, first.timestampsMs.buffer]).toContain(next.values.buffer);
    expect([...next.values]).toEqual(long.toReversed());
    expect(decode(new ColumnDecoder(), long, long).values.buffer).not.toBe(next.values.buffer);
  });

  test('refuses damage and leaves other encodings to others', () => {
    const decoder = new ColumnDecoder();
    const check = (list: Uint8Array, want: number): void => expect(load(decoder, list)).toBe(want);
    const list = listOf(times, values);
    check(new Uint8Array(0), 0);
    check(list.subarray(0, 20), -1);
    check(list.subarray(0, -1), -1);
    check(listOf(times, values, 2), -2);
    const { samples, data } = unpackChunks(list)[0]!;
    const claims = (count: number, bytes: Uint8Array): Uint8Array =>
      packChunks([{ minTimeMs: 0, maxTimeMs: 0, samples: count, encoding: 1, data: bytes }]);
    check(claims(1000, data), -1);
    for (const damaged of [claims(samples + 1, data), claims(samples, data.subarray(0, 12))]) {
      expect(load(decoder, damaged)).toBeGreaterThan(0);
      expect(decoder.decode()).toBe(false);
    }
  });
});
