import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { gunzipSync } from 'node:zlib';
import { JsonWriter } from './json-writer.ts';

interface Row {
  readonly head: string;
  readonly times: readonly number[];
  readonly values: readonly number[];
}

/** The same answer as text and through gzip. */
function write(rows: readonly Row[]): string {
  const [text, zipped] = [false, true].map((gzip) => {
    const writer = new JsonWriter(gzip);
    const parts: Uint8Array[] = [];
    for (const { head, times, values } of rows) {
      writer.text(`${head}[`);
      writer.beginRow();
      for (let from = 0; from < times.length; from += JsonWriter.pointsMax) {
        const to = Math.min(times.length, from + JsonWriter.pointsMax);
        writer.points(Float64Array.from(times), Float64Array.from(values), from, to);
      }
      if (writer.isFull && head.length % 2 === 0) parts.push(writer.take());
      writer.text(times.length === 0 ? ']' : '"]]');
    }
    parts.push(writer.end());
    return Buffer.concat(parts);
  });
  const plain = text!.toString('utf8');
  expect(gunzipSync(zipped!).toString('utf8')).toBe(plain);
  return plain;
}

function goText(v: number): string {
  if (Number.isNaN(v)) return 'NaN';
  if (!Number.isFinite(v)) return v > 0 ? '+Inf' : '-Inf';
  if (Object.is(v, -0)) return '-0';
  const size = Math.abs(v);
  if (size === 0 || (size >= 1e-6 && size < 1e21)) return String(v);
  return v.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}

function expected(rows: readonly Row[]): string {
  return rows
    .map(({ head, times, values }) => {
      const points = times.map((timeMs, i) => {
        const seconds = timeMs % 1000 === 0 ? `${timeMs / 1000}` : (timeMs / 1000).toFixed(3);
        return `[${seconds},"${goText(values[i]!)}"]`;
      });
      return `${head}[${points.join(',')}]`;
    })
    .join('');
}

function check(rows: readonly Row[]): void {
  expect(write(rows)).toBe(expected(rows));
}

function checkValues(values: readonly number[]): void {
  check([{ head: '', times: values.map((_, i) => i * 1000), values }]);
}

describe('JsonWriter', () => {
  test('writes values as Go does', () => {
    checkValues([0, -0, 1, -1, 0.1, 0.5, 1.5, -2.25, 100, 1e6, 123456789, 2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2]);
    checkValues([
      NaN,
      Infinity,
      -Infinity,
      5e-324,
      Number.MAX_VALUE,
      Number.MIN_VALUE,
      2.2250738585072014e-308,
    ]);
    checkValues([1e-6, 9.999e-7, 1e-7, 1.5e-7, 1e20, 123456789012345680000, 1e21, 1.2345e22, 1e100, 1e-100]);
    checkValues([0.000001, 0.00001234, 0.1 + 0.2, 4.35, 1 / 3, 2 / 3, 9007199254740994, 1e23, 1e-323]);
    const powers = Array.from({ length: 2098 }, (_, i) => 2 ** (i - 1074));
    checkValues(powers);
    checkValues(powers.map((power) => power * (1 + Number.EPSILON)));
    checkValues(Array.from({ length: 631 }, (_, i) => Number(`1e${i - 323}`)));
  });

  test('writes any value as Go does', () => {
    fc.assert(
      fc.property(fc.array(fc.double(), { minLength: 1, maxLength: 200 }), (values) => checkValues(values)),
    );
    const words = new Uint32Array(2 * 100_000).map(() => Math.floor(Math.random() * 2 ** 32));
    checkValues([...new Float64Array(words.buffer)].map((v) => (Number.isNaN(v) ? 1 : v)));
    checkValues(Array.from({ length: 50_000 }, () => Math.random() * 1000));
    checkValues(Array.from({ length: 50_000 }, () => Math.round(Math.random() * 1e6) / 1000));
  });

  test('writes any rows, with times that are shared or not', () => {
    const value = fc.oneof(fc.constantFrom(0, 1, 5.5), fc.double());
    const row = fc.record({
      head: fc.oneof(
        fc.string({ unit: 'binary', maxLength: 40 }),
        fc.constantFrom('{"metric":{"pod":"web-1"},"values":', '{"metric":{"pod":"web-22"},"values":'),
      ),
      values: fc.array(value, { maxLength: 300 }),
      startMs: fc.constantFrom(0, 1.7e12, 1.7e12 + 1, -1500),
      stepMs: fc.constantFrom(1, 250, 30_000),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 12 }), (rows) =>
        check(
          rows.map(({ head, values, startMs, stepMs }) => ({
            head,
            values,
            times: values.map((_, i) => startMs + i * stepMs),
          })),
        ),
      ),
    );
  });

  test('writes long rows, many rows and long text', () => {
    const times = Array.from({ length: 5000 }, (_, i) => 1.7e12 + i * 15_000);
    const noisy = times.map(() => Math.random());
    check(Array.from({ length: 5 }, (_, i) => ({ head: `"${i}":`, times, values: noisy })));
    const few = times.slice(0, 240);
    check(
      Array.from({ length: 300 }, (_, i) => ({
        head: `,{"pod":"web-${i}"}`,
        times: few,
        values: few.map(() => (i % 3 === 0 ? 1 : Math.random() * i)),
      })),
    );
    check([{ head: 'é世😀'.repeat(100_000), times: few, values: few }]);
    check([{ head: 'x'.repeat(300_000), times: [], values: [] }]);
  });

  test('compresses what repeats', () => {
    const times = Float64Array.from({ length: 240 }, (_, i) => 1.7e12 + i * 30_000);
    const size = (value: () => number): number => {
      const writer = new JsonWriter(true);
      for (let i = 0; i < 20; i++) {
        writer.beginRow();
        writer.points(times, times.map(value), 0, 240);
        writer.text('"]');
      }
      return writer.end().length;
    };
    expect(size(() => 1)).toBeLessThan(4000);
    expect(size(Math.random)).toBeLessThan(20 * 240 * 12);
  });
});
