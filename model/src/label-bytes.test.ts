import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { compareLabelSets, decodeLabels, encodeLabels } from './label-bytes.ts';
import { compareLabels, Labels } from './labels.ts';

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

test('label sets have the order of labels', () => {
  const short = fc.string({
    unit: fc.constantFrom('a', 'b', 'ä', '\uffff', '𝄞'),
    minLength: 1,
    maxLength: 3,
  });
  const long = fc.constantFrom('a'.repeat(127), 'a'.repeat(128), `${'a'.repeat(200)}b`, 'a'.repeat(20_000));
  const sets = fc.dictionary(short, fc.oneof(short, long), { maxKeys: 3 });
  fc.assert(
    fc.property(sets, sets, (a, b) => {
      const [left, right] = [Labels.fromRecord(a), Labels.fromRecord(b)];
      const order = compareLabelSets(encodeLabels(left), encodeLabels(right));
      expect(Math.sign(order)).toBe(Math.sign(compareLabels(left, right)));
    }),
    { seed: 2, numRuns: 3000 },
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
