import { describe, expect, test } from '@jest/globals';
import {
  isStale,
  NORMAL_NAN_HIGH,
  NORMAL_NAN_LOW,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
  staleNaN,
  writeStale,
} from './stale.ts';

describe('the stale marker', () => {
  test('is known by its bits, at any offset of a buffer', () => {
    const values = new Float64Array(new ArrayBuffer(64), 16, 5);
    values.set([1, NaN, 0, Infinity, 3]);
    writeStale(values, 2);
    expect([0, 1, 2, 3, 4].map((i) => isStale(values, i))).toEqual([false, false, true, false, false]);
    expect([...new Uint32Array(values.buffer, 16 + 16, 2)]).toEqual([STALE_NAN_LOW, STALE_NAN_HIGH]);
  });

  test('is not the ordinary NaN, nor one that differs in a bit', () => {
    const values = new Float64Array(3);
    const bits = new Uint32Array(values.buffer);
    bits.set([NORMAL_NAN_LOW, NORMAL_NAN_HIGH, STALE_NAN_LOW, STALE_NAN_HIGH | 0x80000, 3, STALE_NAN_HIGH]);
    expect([0, 1, 2].map((i) => isStale(values, i))).toEqual([false, false, false]);
  });

  test('is a NaN as a number', () => {
    expect(staleNaN()).toBeNaN();
  });
});
