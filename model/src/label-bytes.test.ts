import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { decodeLabels, encodeLabels } from './label-bytes.ts';
import { Labels } from './labels.ts';

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 });

test('label sets survive', () => {
  fc.assert(
    fc.property(fc.dictionary(text, text, { maxKeys: 8 }), (record) => {
      const labels = Labels.fromRecord(record);
      expect(decodeLabels(encodeLabels(labels)).flat).toEqual(labels.flat);
    }),
    { seed: 1 },
  );
});

test('damage is told', () => {
  const refuse = (bytes: readonly number[], want: string): void =>
    expect(() => decodeLabels(Uint8Array.from(bytes))).toThrow(want);
  refuse([1], 'a text of 1 bytes goes on beyond the end');
  refuse([0x80], 'a length goes on beyond the end');
  refuse([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], 'a length goes on beyond the end');
  refuse([1, 97], 'a name without a value');
});
