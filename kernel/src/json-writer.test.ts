import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { gunzipSync } from 'node:zlib';
import { sharedInstance } from './instance.ts';
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

interface Histogram {
  readonly timeMs: number;
  readonly count: number;
  readonly sum: number;
  /** By bucket. */
  readonly counts: readonly number[];
}

const bucketText = (bucket: number): string => `[0,"${bucket / 8}","${(bucket + 1) / 8}","`;

function expectedHistogram({ timeMs, count, sum, counts }: Histogram): string {
  const time = timeMs % 1000 === 0 ? `${timeMs / 1000}` : (timeMs / 1000).toFixed(3);
  const full = [...counts.keys()].filter((bucket) => counts[bucket] !== 0);
  const list = full.map((bucket) => `${bucketText(bucket)}${goText(counts[bucket]!)}"]`);
  const buckets = list.length === 0 ? '' : `,"buckets":[${list.join(',')}]`;
  return `[${time},{"count":"${goText(count)}","sum":"${goText(sum)}"${buckets}}]`;
}

/** In calls of at most `callMax` buckets, whose numbers are learned when they come first. */
function writeHistograms(
  writer: JsonWriter,
  rows: readonly (readonly Histogram[])[],
  callMax: number,
): Uint8Array {
  const numbers = new Map<number, number>();
  const parts: Uint8Array[] = [];
  const writeBuckets = (counts: readonly number[], from: number): void => {
    if (numbers.size + counts.length > JsonWriter.bucketTextsMax) {
      writer.forgetBuckets();
      numbers.clear();
    }
    counts.forEach((_, i) => {
      if (!numbers.has(from + i)) numbers.set(from + i, writer.learnBucket(bucketText(from + i)));
    });
    const known = counts.map((_, i) => numbers.get(from + i)!);
    writer.buckets(known, counts, counts.length);
    if (writer.isFull) parts.push(writer.take());
  };
  rows.forEach((row, i) => {
    writer.text(`{"row":"${i}","histograms":[`);
    writer.beginRow();
    for (const { timeMs, count, sum, counts } of row) {
      writer.histogram(timeMs, count, sum);
      for (let at = 0; at < counts.length; at += callMax) writeBuckets(counts.slice(at, at + callMax), at);
    }
    writer.endHistograms();
    writer.text(']}');
  });
  parts.push(writer.end());
  return Buffer.concat(parts);
}

/** Where long texts differ is all that a reader of the failure wants. */
function checkLong(text: string, want: string): void {
  if (text === want) return;
  let at = 0;
  while (text[at] === want[at]) at++;
  expect(text.slice(at - 80, at + 80)).toBe(want.slice(at - 80, at + 80));
}

function checkHistograms(rows: readonly (readonly Histogram[])[], callMax = JsonWriter.bucketsMax): void {
  const want = rows.map((row, i) => `{"row":"${i}","histograms":[${row.map(expectedHistogram).join(',')}]}`);
  const text = Buffer.from(writeHistograms(new JsonWriter(false), rows, callMax)).toString();
  checkLong(text, want.join(''));
  checkLong(gunzipSync(writeHistograms(new JsonWriter(true), rows, callMax)).toString(), text);
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
    const sizes = Array.from({ length: 16 }, (_, i) => 10 ** (i - 7));
    for (const size of sizes)
      for (const decimals of [1, 2, 3, 8, 15, 20])
        checkValues(
          Array.from({ length: 500 }, () => Number(((Math.random() - 0.5) * size).toFixed(decimals))),
        );
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

  test('writes any native histograms', () => {
    const count = fc.oneof(fc.constantFrom(0, 0, 1, 17, 99, 100, -0, NaN, Infinity), fc.nat(), fc.double());
    const histogram = fc.record({
      timeMs: fc.constantFrom(0, -1500, 1.7e12, 1.7e12 + 1, 1.7e12 + 15_000),
      count,
      sum: fc.double(),
      counts: fc.array(count, { maxLength: 60 }),
    });
    const rows = fc.array(fc.array(histogram, { minLength: 1, maxLength: 12 }), { maxLength: 6 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 70 }), (some, callMax) => checkHistograms(some, callMax)),
    );
  });

  test('writes rows of histograms that change a little, over many pieces', () => {
    const counts = Array.from({ length: 40 }, (_, i) => (i % 7 === 0 ? 0 : 3 ** (i % 9)));
    const row = (k: number): Histogram[] =>
      Array.from({ length: 200 }, (_, i) => {
        counts[(i * 7 + k) % 40]! += i % 3;
        return { timeMs: 1.7e12 + i * 15_000, count: i, sum: i / 7, counts: counts.slice() };
      });
    checkHistograms(Array.from({ length: 8 }, (_, k) => row(k)));
  });

  test('writes histograms with more buckets than it knows, and labels beside them', () => {
    const { bucketTextsMax, bucketsMax } = JsonWriter;
    const counts = Array.from(
      { length: bucketTextsMax - (bucketTextsMax % bucketsMax) + bucketsMax },
      (_, i) => i / 3,
    );
    const one = (scale: number): Histogram => ({
      timeMs: scale,
      count: 1,
      sum: 2,
      counts: counts.map((count) => count * scale),
    });
    checkHistograms([[one(1), one(2)], [one(2)]]);
    checkHistograms([[one(1 / 3)]], 1000);
  });

  test('needs no more memory for more histograms', () => {
    const { exports } = sharedInstance();
    const base = Array.from({ length: 50 }, (_, bucket) => bucket);
    const row = Array.from({ length: 1000 }, (_, i) => ({
      timeMs: i,
      count: i,
      sum: i,
      counts: base.map((count) => i * count),
    }));
    writeHistograms(new JsonWriter(true), [row], 50);
    const before = exports.usedBytes();
    for (let i = 0; i < 5; i++) writeHistograms(new JsonWriter(true), [row, row], 50);
    expect(exports.usedBytes()).toBe(before);
  });

  test('refuses more buckets and longer texts than there is room for', () => {
    const writer = new JsonWriter(true);
    try {
      for (let i = 0; i < JsonWriter.bucketTextsMax; i++) writer.learnBucket(bucketText(i));
      expect(() => writer.learnBucket('[0,"')).toThrow('unreachable');
      writer.forgetBuckets();
      const number = writer.learnBucket('x'.repeat(61));
      expect(() => writer.learnBucket('x'.repeat(62))).toThrow('want at most 64 bytes');
      const many = Array.from({ length: JsonWriter.bucketsMax + 1 }, () => number);
      expect(() => writer.buckets(many, many, many.length)).toThrow('1025 buckets, want at most 1024');
      expect(() => writer.buckets([number + 1], [1], 1)).toThrow('unreachable');
    } finally {
      writer.drop();
    }
  });

  test('compresses histograms that change a little', () => {
    const counts = Array.from({ length: 24 }, (_, i) => 1000 + 37 * i);
    const row = Array.from({ length: 240 }, (_, i) => {
      for (let k = 0; k < 5; k++) counts[(i * 5 + k * 3) % 24]!++;
      return { timeMs: 1.7e12 + i * 30_000, count: 36_000 + 5 * i, sum: 7 * i, counts: counts.slice() };
    });
    expect(writeHistograms(new JsonWriter(true), [row], 24).length).toBeLessThan(240 * 60);
  });
});
