import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { isValidLegacyLabelName, isValidLegacyMetricName, isValidUtf8Name } from './label-name.ts';
import { compareUtf8 } from './utf8-order.ts';

describe('compareUtf8', () => {
  test('orders astral code points after U+E000–U+FFFF', () => {
    expect(compareUtf8('😀', '\uffff')).toBeGreaterThan(0);
    expect(compareUtf8('\ud7ff', '😀')).toBeLessThan(0);
  });

  test('agrees with the bytes of any strings', () => {
    const edges = fc.constantFrom(
      'a',
      '\u007f',
      '\u0080',
      '\u07ff',
      '\ud7ff',
      '\ue000',
      '\uffff',
      '\u{10000}',
      '\u{10ffff}',
    );
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: edges, maxLength: 5 }));
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
      { numRuns: 1000 },
    );
  });
});

test('names are valid by their rules', () => {
  function check(name: string, label: boolean, metric: boolean, utf8: boolean): void {
    expect([isValidLegacyLabelName(name), isValidLegacyMetricName(name), isValidUtf8Name(name)]).toEqual([
      label,
      metric,
      utf8,
    ]);
  }
  check('', false, false, false);
  check('job', true, true, true);
  check('_a1', true, true, true);
  check('1a', false, false, true);
  check('a:b', false, true, true);
  check('a.b', false, false, true);
  check('a\n', false, false, true);
  check('é😀', false, false, true);
  check('a\ud800', false, false, false);
  check('\udc00a', false, false, false);
});
