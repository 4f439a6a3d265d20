import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { goQuote } from './go-quote.ts';
import { formatFloat, formatGoG, formatSampleValue, parseGoFloat } from './number-format.ts';

describe('formatting', () => {
  function check(v: number, wantF: string, wantSample: string, wantG: string): void {
    expect([formatFloat(v), formatSampleValue(v), formatGoG(v)]).toEqual([wantF, wantSample, wantG]);
  }

  test('is Go’s', () => {
    check(0, '0', '0', '0');
    check(-0, '-0', '-0', '-0');
    check(1, '1', '1', '1');
    check(-1.5, '-1.5', '-1.5', '-1.5');
    check(NaN, 'NaN', 'NaN', 'NaN');
    check(Infinity, '+Inf', '+Inf', '+Inf');
    check(-Infinity, '-Inf', '-Inf', '-Inf');
    check(999999, '999999', '999999', '999999');
    check(1e6, '1000000', '1000000', '1e+06');
    check(123456789, '123456789', '123456789', '1.23456789e+08');
    check(1e20, '100000000000000000000', '100000000000000000000', '1e+20');
    check(1e21, '1000000000000000000000', '1e+21', '1e+21');
    check(1.2345e22, '12345000000000000000000', '1.2345e+22', '1.2345e+22');
    check(0.0001, '0.0001', '0.0001', '0.0001');
    check(0.00001, '0.00001', '0.00001', '1e-05');
    check(1e-6, '0.000001', '0.000001', '1e-06');
    check(-1.5e-7, '-0.00000015', '-1.5e-07', '-1.5e-07');
    check(1e300, `1${'0'.repeat(300)}`, '1e+300', '1e+300');
    check(5e-324, `0.${'0'.repeat(323)}5`, '5e-324', '5e-324');
  });

  test('without exponent it reads back as the same number, digit for digit as the exponent form', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (v) => {
        const text = formatFloat(v);
        expect(text).toMatch(/^-?\d+(\.\d+)?$/);
        expect(Object.is(Number(text), v)).toBe(true);
        const digits = text.replace(/^-?(0\.)?0*|\./g, '').replace(/^0+|0+$/g, '');
        expect(digits).toBe(
          v
            .toExponential()
            .replace(/e.*|[-.]/g, '')
            .replace(/^0$/, ''),
        );
      }),
      { numRuns: 1000 },
    );
  });
});

describe('parseGoFloat', () => {
  function check(text: string, want: number | undefined): void {
    expect([text, parseGoFloat(text)]).toEqual([text, want]);
  }

  test('takes what Go takes', () => {
    check('1', 1);
    check('+.5e1', 5);
    check('1.', 1);
    check('-0', -0);
    check('1e-400', 0);
    check('inf', Infinity);
    check('+INFINITY', Infinity);
    check('-Inf', -Infinity);
    check('nAn', NaN);
    check('0x1p-2', 0.25);
    check('0X1.8P+1', 3);
    check('0x.8p0', 0.5);
    check('0x1p-1074', 5e-324);
    check('0x1p-1075', 0);
    check('0x1.8p-1075', 5e-324);
    check('0x1.fffffffffffff8p0', 2);
    check('-0x1.00000000000008p0', -1);
    check('0x1.fffffffffffffp1023', Number.MAX_VALUE);
    check('0x0p99999', 0);
  });

  test('refuses what Go refuses', () => {
    for (const text of [
      '',
      '+',
      '.',
      'e1',
      '1e',
      '1_000',
      '0x1',
      '0xp1',
      '0x.p1',
      '+nan',
      'infin',
      ' 1',
      '1 ',
      '1e400',
      '0x1p1024',
      '--1',
      '0b1',
    ]) {
      check(text, undefined);
    }
  });

  test('reads any hexadecimal form of a number back', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 2n ** 53n - 1n }),
        fc.integer({ min: -1074, max: 970 }),
        (mantissa, exponent) => {
          const text = `0x${mantissa.toString(16)}p${exponent}`;
          const half = Math.trunc(exponent / 2);
          expect(parseGoFloat(text)).toBe(Number(mantissa) * 2 ** half * 2 ** (exponent - half));
        },
      ),
    );
  });
});

describe('goQuote', () => {
  function check(text: string, want: string): void {
    expect(goQuote(text)).toBe(want);
  }

  test('escapes as strconv.Quote does', () => {
    check('', '""');
    check('a b{}', '"a b{}"');
    check('a"b\\c', '"a\\"b\\\\c"');
    check('\x07\b\f\n\r\t\v', '"\\a\\b\\f\\n\\r\\t\\v"');
    check('\0\x1b\x7f', '"\\x00\\x1b\\x7f"');
    check('é世😀', '"é世😀"');
    check('\u0080\u00a0\u00ad\u200b\ufeff', '"\\u0080\\u00a0\\u00ad\\u200b\\ufeff"');
    check('\u{e0001}\u{10ffff}', '"\\U000e0001\\U0010ffff"');
    check('\ud800', '"\\ufffd"');
  });
});
