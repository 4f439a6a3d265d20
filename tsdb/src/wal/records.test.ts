import { describe, expect, test } from '@jest/globals';
import { Labels } from '@flotilla/model';
import * as fc from 'fast-check';
import type { SeriesMetadata } from '../api.ts';
import { decodeExemplars, encodeExemplars, type RefExemplar } from './exemplar-records.ts';
import { decodeMetadata, encodeMetadata } from './metadata-records.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const text = (s: string): string => Buffer.from(s).toString('hex');

describe('exemplar records', () => {
  const refs = fc.integer({ min: 1, max: 2 ** 32 - 1 });
  const labels = fc
    .dictionary(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }), fc.string({ minLength: 1 }), {
      maxKeys: 4,
    })
    .map((record) => Labels.fromRecord(record));
  const exemplar = fc.record({
    labels,
    value: fc.double(),
    timeMs: fc.integer({ min: -(2 ** 50), max: 2 ** 50 }),
    hasTimestamp: fc.constant(false),
  });
  const entries = fc.array(fc.record({ ref: refs, exemplar }), { minLength: 1, maxLength: 20 });

  test('are read as they were written', () => {
    fc.assert(
      fc.property(entries, (list) => {
        expect(decodeExemplars(encodeExemplars(list).slice())).toEqual(list);
      }),
    );
  });

  test("have Prometheus's bytes", () => {
    const one = (ref: number, timeMs: number, value: number, trace: string): RefExemplar => ({
      ref,
      exemplar: { labels: Labels.fromRecord({ trace }), value, timeMs, hasTimestamp: false },
    });
    const record = encodeExemplars([one(5, 1000, 1, 'a'), one(4, 1003, 2, 'b')]);
    const labelsOf = (value: string): string => ['0105', text('trace'), '01', text(value)].join('');
    expect(hex(record)).toBe(
      [
        '04000000000000000500000000000003e8',
        '00003ff0000000000000',
        labelsOf('a'),
        '01064000000000000000',
        labelsOf('b'),
      ].join(''),
    );
  });

  test('that are cut short, or count labels which are not there, are refused', () => {
    const whole = encodeExemplars([
      {
        ref: 1,
        exemplar: { labels: Labels.fromRecord({ a: 'b' }), value: 1, timeMs: 1, hasTimestamp: true },
      },
    ]).slice();
    for (let length = 18; length < whole.length; length++) {
      expect(() => decodeExemplars(whole.subarray(0, length))).toThrow(RangeError);
    }
    const lying = whole.slice();
    lying[27] = 0x7f;
    expect(() => decodeExemplars(lying)).toThrow(RangeError);
    expect(decodeExemplars(whole.subarray(0, 1))).toEqual([]);
  });
});

describe('metadata records', () => {
  const field = (name: string, value: string): string =>
    [name.length, value.length].map((n, i) => `0${n}${text([name, value][i]!)}`).join('');
  const counter: SeriesMetadata = { type: 'counter', help: 'Requests, ever.', unit: 'requests' };

  test('are read as they were written, every type', () => {
    for (const type of [
      'unknown',
      'counter',
      'gauge',
      'histogram',
      'gaugehistogram',
      'summary',
      'info',
      'stateset',
    ]) {
      const entries = [
        { ref: 7, metadata: { ...counter, type } },
        { ref: 2 ** 32 - 1, metadata: { type, help: '', unit: '' } },
      ];
      expect(decodeMetadata(encodeMetadata(entries).slice())).toEqual(entries);
    }
  });

  test("have Prometheus's bytes", () => {
    const record = encodeMetadata([{ ref: 300, metadata: { type: 'gauge', help: 'h', unit: 's' } }]);
    expect(hex(record)).toBe(['06ac020202', field('UNIT', 's'), field('HELP', 'h')].join(''));
  });

  test('of other writers may have a type and fields that we do not know', () => {
    const record = Buffer.from(['0601ff02', field('FOO', 'x'), field('HELP', 'h')].join(''), 'hex');
    expect(decodeMetadata(record)).toEqual([{ ref: 1, metadata: { type: 'unknown', help: 'h', unit: '' } }]);
  });

  test('that are cut short are refused', () => {
    const whole = encodeMetadata([{ ref: 1, metadata: counter }]).slice();
    for (let length = 2; length < whole.length; length++) {
      expect(() => decodeMetadata(whole.subarray(0, length))).toThrow(RangeError);
    }
  });
});
