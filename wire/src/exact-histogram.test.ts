import { expect, test } from '@jest/globals';
import { bucketsOfSpans, FloatHistogram } from '@flotilla/model';
import { exactHistogram, parseExactHistogram } from './exact-histogram.ts';

const exponential = new FloatHistogram({
  hint: 'gauge',
  schema: 3,
  count: 0.1 + 0.2,
  sum: -Infinity,
  zeroThreshold: 2.938735877055719e-39,
  zeroCount: 1 / 3,
  positive: bucketsOfSpans(
    [
      { offset: -3, length: 2 },
      { offset: 4, length: 1 },
    ],
    [1, 2.5, 1e300],
  ),
  negative: bucketsOfSpans([{ offset: 7, length: 1 }], [5e-324]),
});
const custom = new FloatHistogram({
  schema: -53,
  count: 3,
  sum: NaN,
  positive: bucketsOfSpans([{ offset: 0, length: 2 }], [1, 2]),
  customBounds: [0.1, 2],
});

test('reads back as the same histogram, through JSON, the hint too', () => {
  for (const histogram of [exponential, custom, new FloatHistogram({})]) {
    const back = parseExactHistogram(JSON.parse(JSON.stringify(exactHistogram(histogram))));
    expect(back.equals(histogram)).toBe(true);
    expect(back.hint).toBe(histogram.hint);
  }
});

test('refuses what is none', () => {
  const good = exactHistogram(exponential);
  const check = (json: unknown): void =>
    expect(() => parseExactHistogram(json)).toThrow(/expected|bucket|span|invalid|want/i);
  check(undefined);
  check({ count: '1', sum: '2' });
  check({ ...good, count: 'many' });
  check({ ...good, positive: { spans: [[0, 5]], counts: [] } });
});
