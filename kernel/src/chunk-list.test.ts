import { describe, expect, test } from '@jest/globals';
import { ChunkListReader, packChunks, unpackChunks } from './chunk-list.ts';

const chunks = [
  { minTimeMs: -5, maxTimeMs: 4e12, samples: 65535, encoding: 3, data: Uint8Array.of(1, 2, 3) },
  { minTimeMs: 0, maxTimeMs: 0, samples: 0, encoding: 1, data: new Uint8Array(0) },
];

describe('chunk lists', () => {
  test('give back what was packed', () => {
    expect(unpackChunks(packChunks(chunks))).toEqual(chunks);
    expect(unpackChunks(packChunks([]))).toEqual([]);
  });

  test('are read by header, up to damage', () => {
    const list = packChunks(chunks);
    const check = (bytes: Uint8Array, want: number, isDamaged: boolean): void => {
      const reader = new ChunkListReader(bytes);
      let count = 0;
      while (reader.next()) count++;
      expect([count, reader.isDamaged]).toEqual([want, isDamaged]);
    };
    check(list, 2, false);
    check(list.subarray(0, -1), 1, true);
    check(list.subarray(0, 26), 0, true);
    check(list.subarray(0, 0), 0, false);
  });

  test('are read one after the other, wherever they lie', () => {
    const list = packChunks(chunks);
    const memory = new Uint8Array(100 + list.length);
    memory.set(list, 100);
    const reader = new ChunkListReader(list);
    expect(reader.next()).toBe(true);
    for (const other of [memory.subarray(100), list, memory.subarray(100)]) {
      reader.begin(other);
      for (const chunk of chunks) {
        expect(reader.next()).toBe(true);
        expect(reader).toMatchObject({
          maxTimeMs: chunk.maxTimeMs,
          samples: chunk.samples,
          data: chunk.data,
        });
      }
      expect([reader.next(), reader.isDamaged]).toEqual([false, false]);
    }
  });
});
