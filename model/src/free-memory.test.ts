import { expect, test } from '@jest/globals';
import { freeMemory } from './free-memory.ts';

test('an array is empty afterwards; a part of one, and shared memory, stay as they are', () => {
  const whole = Float64Array.of(1, 2, 3);
  freeMemory(whole);
  expect(whole).toHaveLength(0);
  freeMemory(whole);
  const buffer = new ArrayBuffer(16);
  freeMemory(new Uint8Array(buffer, 8));
  expect(buffer.byteLength).toBe(16);
  const shared = new Uint8Array(new SharedArrayBuffer(8));
  freeMemory(shared);
  expect(shared).toHaveLength(8);
});
