import { describe, expect, test } from '@jest/globals';
import { levelRangesMs, planCompaction } from './compaction-plan.ts';
import type { BlockMeta } from './meta.ts';

type Span = [from: number, to: number, extra?: { failed?: boolean; numTombstones?: number }];

function metaOf([minTime, maxTime, { failed = false, numTombstones = 0 } = {}]: Span): BlockMeta {
  const stats = { numSamples: 1, numSeries: 10, numChunks: 1, numTombstones };
  const compaction = { level: 1, sources: [], failed };
  return { ulid: `${minTime}-${maxTime}`, minTime, maxTime, stats, compaction, version: 1 };
}

describe('levelRangesMs', () => {
  test('are times three up to a tenth of the retention, or 31 days', () => {
    expect(levelRangesMs(2, 60)).toEqual([2, 6]);
    expect(levelRangesMs(2, 1e9)).toEqual([2, 6, 18, 54, 162, 486, 1458, 4374, 13_122, 39_366]);
    const hourMs = 3_600_000;
    expect(levelRangesMs(2 * hourMs, 1e15).map((range) => range / hourMs)).toEqual([2, 6, 18, 54, 162, 486]);
    expect(levelRangesMs(2 * hourMs, hourMs)).toEqual([2 * hourMs]);
  });
});

describe('planCompaction', () => {
  function check(spans: Span[], want: string[]): void {
    const plan = planCompaction(spans.map(metaOf), [20, 60, 180]);
    expect(plan.map(({ ulid }) => ulid)).toEqual(want);
  }

  test('fills aligned ranges, and leaves the newest block out', () => {
    check([], []);
    check([[0, 20]], []);
    check([[0, 20], [20, 40], [40, 60]], []); // prettier-ignore
    check([[0, 20], [20, 40], [40, 60], [60, 80]], ['0-20', '20-40', '40-60']); // prettier-ignore
    check([[20, 40], [60, 80], [40, 60], [80, 100]], ['20-40', '40-60']); // prettier-ignore
    check([[0, 60], [60, 120], [120, 180], [180, 200]], ['0-60', '60-120', '120-180']); // prettier-ignore
    check([[-40, -20], [-20, 0], [0, 20], [20, 40]], ['-40--20', '-20-0']); // prettier-ignore
  });

  test('takes a range with gaps once newer blocks are beyond it', () => {
    check([[0, 20], [40, 60], [60, 80], [80, 100]], ['0-20', '40-60']); // prettier-ignore
    check([[0, 20], [60, 80], [80, 100]], []); // prettier-ignore
  });

  test('takes overlapping blocks first, the newest included', () => {
    check([[0, 20], [10, 30], [40, 60]], ['0-20', '10-30']); // prettier-ignore
    check([[0, 100], [10, 20], [30, 40], [100, 120]], ['0-100', '10-20', '30-40']); // prettier-ignore
    check([[0, 20], [0, 20]], ['0-20', '0-20']); // prettier-ignore
  });

  test('takes a large block of which more than 5 % is deleted', () => {
    const ridden = { numTombstones: 1 };
    check([[0, 60, ridden], [60, 80]], ['0-60']); // prettier-ignore
    check([[0, 20, ridden], [60, 80]], []); // prettier-ignore
    check([[0, 60], [60, 80]], []); // prettier-ignore
  });

  test('leaves failed blocks alone', () => {
    check([[0, 20, { failed: true }], [20, 40], [40, 60], [60, 80]], []); // prettier-ignore
    check([[0, 20, { failed: true }], [10, 30]], []); // prettier-ignore
    check([[0, 60, { failed: true, numTombstones: 9 }], [60, 80]], []); // prettier-ignore
  });
});
