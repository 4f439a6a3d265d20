import { describe, expect, test } from '@jest/globals';
import { Labels, STALE_NAN_HIGH, STALE_NAN_LOW } from '@flotilla/model';
import * as fc from 'fast-check';
import { decodeRemoteWrite } from './remote-write-decoder.ts';
import { createRemoteWriteEncoder, encodeRemoteLabels } from './remote-write-encoder.ts';
import type { RemoteHistogram, RemoteWriteVersion } from './remote-write.ts';

const versions: readonly RemoteWriteVersion[] = ['1.0', '2.0'];
const exponential: RemoteHistogram = {
  schema: 3,
  zeroThreshold: 1e-128,
  positiveSpans: [
    { offset: -2, length: 2 },
    { offset: 5, length: 1 },
  ],
  negativeSpans: [{ offset: 0, length: 1 }],
  customBounds: [],
  isFloat: false,
  hint: 'not_reset',
  isStale: false,
  count: 2 ** 40,
  zeroCount: 7,
  sum: -3.5,
  positive: [3, 1, 2 ** 33],
  negative: [4],
};
const custom: RemoteHistogram = {
  ...exponential,
  schema: -53,
  zeroThreshold: 0,
  zeroCount: 0,
  isFloat: true,
  hint: 'gauge',
  negativeSpans: [],
  customBounds: [0.1, 2.5, 10],
  count: 1.5,
  positive: [0.5, 1, 0],
  negative: [],
};

describe('remote write', () => {
  test.each(versions)('%s says what it was told, every bit of it', (version) => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
    const series = fc.record({
      labels: fc.dictionary(text, text, { minKeys: 1, maxKeys: 6 }),
      samples: fc.array(
        fc.tuple(
          fc.integer({ min: -1e12, max: 2e12 }),
          fc.nat({ max: 0xffffffff }),
          fc.nat({ max: 0xffffffff }),
        ),
        { maxLength: 5 },
      ),
    });
    const encoder = createRemoteWriteEncoder(version);
    fc.assert(
      fc.property(fc.array(series, { maxLength: 8 }), (all) => {
        for (const { labels, samples } of all) {
          const set = Labels.fromRecord(labels);
          encoder.beginSeries({ labels: set, encoded: encodeRemoteLabels(set) });
          for (const [timeMs, low, high] of samples) encoder.sample(timeMs, low, high);
          encoder.endSeries();
        }
        const got = decodeRemoteWrite(version, encoder.finish()).series;
        expect(got.map(({ labels }) => labels)).toEqual(
          all.map(({ labels }) => Labels.fromRecord(labels).flat),
        );
        expect(got.map(({ timesMs }) => timesMs)).toEqual(
          all.map(({ samples }) => samples.map(([time]) => time)),
        );
        const words = got.map(({ values }) => [...new Uint32Array(values.buffer)]);
        expect(words).toEqual(all.map(({ samples }) => samples.flatMap(([, low, high]) => [low, high])));
      }),
      { numRuns: 60 },
    );
  });

  test.each(versions)('%s carries histograms, exemplars and metadata', (version) => {
    const encoder = createRemoteWriteEncoder(version);
    const labels = Labels.fromRecord({ __name__: 'h', a: 'b' });
    const about = { type: 'histogram', help: 'Some help.', unit: 's' };
    encoder.beginSeries({ labels }, about);
    encoder.histogram(1000, exponential);
    encoder.histogram(2000, custom);
    encoder.histogram(3000, { ...exponential, isStale: true });
    encoder.exemplar({ labels: Labels.fromRecord({ trace_id: 'x' }), value: 0.25, timeMs: 1500 });
    encoder.endSeries();
    encoder.metadata('h', about);
    const { series, metadata } = decodeRemoteWrite(version, encoder.finish());
    const [one] = series;
    expect(one!.histograms.slice(0, 2)).toEqual([
      { timeMs: 1000, histogram: exponential },
      { timeMs: 2000, histogram: custom },
    ]);
    const stale = one!.histograms[2]!.histogram;
    expect([stale.isStale, Number.isNaN(stale.sum)]).toEqual([true, true]);
    expect(one!.exemplars).toEqual([{ labels: ['trace_id', 'x'], value: 0.25, timeMs: 1500 }]);
    expect(version === '1.0' ? metadata : one!.metadata).toEqual(
      version === '1.0' ? [{ metric: 'h', ...about }] : about,
    );
  });

  test('an encoder is empty after a request', () => {
    for (const version of versions) {
      const encoder = createRemoteWriteEncoder(version);
      const sizes = [1, 2].map(() => {
        encoder.beginSeries({ labels: Labels.fromRecord({ a: 'b' }) });
        encoder.sample(1, STALE_NAN_LOW, STALE_NAN_HIGH);
        encoder.endSeries();
        return encoder.finish().length;
      });
      expect(sizes[0]).toBe(sizes[1]);
    }
  });

  test('refuses what is none', () => {
    const check = (version: RemoteWriteVersion, hex: string, want: string): void =>
      expect(() => decodeRemoteWrite(version, Buffer.from(hex, 'hex'))).toThrow(want);
    check('1.0', '0aff', 'bytes at');
    check('1.0', '0a04 0a02 0aff'.replaceAll(' ', ''), 'bytes at');
    check('2.0', '2a030a0107', 'symbol 7, want less than 0');
    check('2.0', '22002a030a0100', '1 label strings, want pairs');
    check('2.0', '2201ff', 'no UTF-8');
    check('2.0', '0b', 'wire type 3');
  });

  test('never does worse than to refuse', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...versions), (bytes, version) => {
        try {
          decodeRemoteWrite(version, bytes);
        } catch (error) {
          expect((error as Error).name).toBe('BadRequest');
        }
      }),
      { numRuns: 500 },
    );
  });
});
