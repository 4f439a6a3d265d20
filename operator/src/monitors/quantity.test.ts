import { expect, test } from '@jest/globals';
import { parseQuantity } from './quantity.ts';

test('quantities', () => {
  const check = (text: number | string, want: number): void =>
    expect(parseQuantity(text)).toBeCloseTo(want, 9);
  check(1.1, 1.1);
  check('1.1', 1.1);
  check('1100m', 1.1);
  check('2Ki', 2048);
  check('1e1', 10);
  check('3E', 3e18);
  check('.5', 0.5);
  expect(parseQuantity('Gi')).toBeNaN();
});
