import { expect, test } from '@jest/globals';
import { normalizeLabelFloat } from './label-float.ts';

test('bounds and quantiles get the spelling of OpenMetrics', () => {
  const cases = [
    ['1', '1.0'],
    ['1.0', '1.0'],
    ['0', '0.0'],
    ['-0', '0.0'],
    ['-1', '-1.0'],
    ['.5', '0.5'],
    ['0.05', '0.05'],
    ['10', '10.0'],
    ['1000000', '1e+06'],
    ['123456', '123456.0'],
    ['1e-05', '1e-05'],
    ['+Inf', '+Inf'],
    ['inf', '+Inf'],
    ['nan', 'NaN'],
    ['abc', 'abc'],
    ['', ''],
  ];
  for (const [text, want] of cases) expect(normalizeLabelFloat(text!)).toBe(want);
});
