import { describe, expect, test } from '@jest/globals';
import { ago, formatMetric, formatRange, stepFor, toColumns, tryParseRange } from './format.ts';
import { emptyPanel, panelSearch, parsePanel } from './panel-state.ts';

describe('words and numbers', () => {
  test('ranges go both ways', () => {
    const check = (text: string, rangeMs: number | undefined) => expect(tryParseRange(text)).toBe(rangeMs);
    check('1h30m', 5_400_000);
    check('15s', 15_000);
    check('1x', undefined);
    check('0s', undefined);
    check('', undefined);
    for (const rangeMs of [1000, 90_000, 86_400_000 + 1000])
      expect(tryParseRange(formatRange(rangeMs))).toBe(rangeMs);
  });

  test('times past read as words', () => {
    expect([ago(0, 5), ago(1000, 1400), ago(1000, 5200), ago(1000, 181_000), ago(1, 7_200_001)]).toEqual([
      'never',
      '400 ms ago',
      '4.2 s ago',
      '3 m ago',
      '2 h ago',
    ]);
  });

  test('a series reads as PromQL', () => {
    expect(formatMetric({ __name__: 'up', job: 'a"b' })).toBe('up{job="a\\"b"}');
    expect(formatMetric({})).toBe('{}');
  });

  test('a graph has about 250 points', () => {
    expect([stepFor(1000), stepFor(3_600_000)]).toEqual([1, 14]);
  });
});

test('plot columns have gaps where a series has no value', () => {
  const series = [
    {
      metric: {},
      values: [
        [10, '1'],
        [30, '+Inf'],
        [40, '2'],
      ] as const,
    },
  ];
  expect(toColumns(series, 10, 40, 10)).toEqual([
    [10, 20, 30, 40],
    [1, null, null, 2],
  ]);
});

test('the state of a panel survives its address', () => {
  const state = {
    expr: 'rate(x[5m]) > 0',
    tab: 'graph' as const,
    rangeMs: 900_000,
    endMs: Date.UTC(2026, 1, 3, 4, 5, 6),
  };
  expect(parsePanel(panelSearch(state))).toEqual(state);
  expect(parsePanel('')).toEqual(emptyPanel);
  expect(parsePanel('?g0.expr=up&g0.tab=0')).toEqual({ ...emptyPanel, expr: 'up', tab: 'graph' });
});
