import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { formatByteSize, parseByteSize } from './byte-size.ts';
import { formatDuration, parseDuration, parseGoDuration } from './duration.ts';

describe('Prometheus durations', () => {
  test('parse and print', () => {
    function check(text: string, ms: number, canonical = text): void {
      expect([text, parseDuration(text), formatDuration(ms)]).toEqual([text, ms, canonical]);
    }

    check('0', 0, '0s');
    check('0s', 0);
    check('0w', 0, '0s');
    check('324ms', 324);
    check('3s', 3000);
    check('90s', 90_000, '1m30s');
    check('5m', 300_000);
    check('60m', 3_600_000, '1h');
    check('1h30m', 5_400_000);
    check('4d', 345_600_000);
    check('4d1h', 349_200_000);
    check('14d', 1_209_600_000, '2w');
    check('10d', 864_000_000);
    check('3w', 1_814_400_000);
    check('3w2d1h', 1_990_800_000, '23d1h');
    check('1y', 31_536_000_000);
    check('10y', 315_360_000_000);
    check('1y5ms', 31_536_000_005, '365d5ms');
  });

  test('refuse with Prometheus’s words', () => {
    const check = (text: string, want: string): void =>
      expect(() => parseDuration(text)).toThrow(new RangeError(want));
    check('', 'empty duration string');
    for (const text of ['1', '1y1m1d', '-1w', 'd', '1m1m', ' 1m', '5m3']) {
      check(text, `not a valid duration string: "${text}"`);
    }
    check('1 m', 'unknown unit " m" in duration "1 m"');
    check('1.5d', 'unknown unit "." in duration "1.5d"');
    check('1x', 'unknown unit "x" in duration "1x"');
    check('294y', 'duration out of range');
    check('9'.repeat(400) + 's', 'duration out of range');
  });

  test('print what parses back', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1e12 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
    expect(formatDuration(-90_000)).toBe('-1m30s');
    expect(formatDuration(1.9)).toBe('1ms');
    expect(formatDuration(-0.5)).toBe('0s');
  });
});

describe('Go durations', () => {
  test('parse', () => {
    function check(text: string, ms: number): void {
      expect([text, parseGoDuration(text)]).toEqual([text, ms]);
    }

    check('0', 0);
    check('300ms', 300);
    check('1.5h', 5_400_000);
    check('-1m', -60_000);
    check('+1h15m30.918s', 4_530_918);
    check('.5s', 500);
    check('1.s', 1000);
    check('1µs', 0.001);
    check('1μs1us', 0.002);
    check('2s1m', 62_000);
  });

  test('refuse with Go’s words', () => {
    const check = (text: string, want: string): void =>
      expect(() => parseGoDuration(text)).toThrow(new RangeError(want));
    for (const text of ['', '-', '.s', 'h', '--1s']) {
      check(text, `time: invalid duration "${text}"`);
    }
    check('1..5s', 'time: missing unit in duration "1..5s"');
    check('3', 'time: missing unit in duration "3"');
    check('1d', 'time: unknown unit "d" in duration "1d"');
    check('1constructor', 'time: unknown unit "constructor" in duration "1constructor"');
    check('3000000h', 'time: invalid duration "3000000h"');
  });
});

describe('byte sizes', () => {
  function check(text: string, bytes: number, canonical: string): void {
    expect([text, parseByteSize(text), formatByteSize(bytes)]).toEqual([text, bytes, canonical]);
  }

  test('are powers of two', () => {
    check('0', 0, '0B');
    check('0B', 0, '0B');
    check('512B', 512, '512B');
    check('1KB', 1024, '1KiB');
    check('1KiB', 1024, '1KiB');
    check('512MB', 512 * 2 ** 20, '512MiB');
    check('1.5GiB', 1.5 * 2 ** 30, '1GiB512MiB');
    check('1GiB512MiB', 1.5 * 2 ** 30, '1GiB512MiB');
    check('.5KB', 512, '512B');
    check('2TB', 2 ** 41, '2TiB');
  });

  test('refuse anything else', () => {
    for (const text of ['', '1', 'MB', '1XB', '1.MB', '-1B', '1 MB', '1mb', '1iB']) {
      expect(() => parseByteSize(text)).toThrow(`not a valid byte size: "${text}"`);
    }
    expect(() => parseByteSize('8EB')).toThrow('byte size out of range: "8EB"');
  });
});
