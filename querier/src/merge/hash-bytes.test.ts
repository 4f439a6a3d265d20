import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { areEqual, hashOf } from './hash-bytes.ts';

/** The bytes from 3 on, amid others. */
function placed(bytes: Uint8Array): DataView {
  const source = new Uint8Array(bytes.length + 8).fill(1);
  source.set(bytes, 3);
  return new DataView(source.buffer);
}

test('bytes are equal if each is, and then their hashes are', () => {
  const anyBytes = fc.uint8Array({ minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(anyBytes, fc.nat(39), fc.integer({ min: 1, max: 255 }), (bytes, at, flip) => {
      const { length } = bytes;
      const other = bytes.slice();
      other[at % length]! ^= flip;
      const [view, same, changed] = [placed(bytes), placed(bytes), placed(other)];
      expect(areEqual(view, 3, same, 3, length)).toBe(true);
      expect(areEqual(view, 3, changed, 3, length)).toBe(false);
      expect(areEqual(view, 3, changed, 3, at % length)).toBe(true);
      expect(hashOf(new Uint8Array(view.buffer), 3, 3 + length)).toBe(hashOf(bytes, 0, length));
    }),
  );
});
