import { describe, expect, test } from '@jest/globals';
import { parseQuantity } from './quantity.ts';

describe('parseQuantity', () => {
  function check(quantity: string | number, want: number): void {
    expect(parseQuantity(quantity)).toBe(want);
  }

  test('reads every suffix', () => {
    check('500m', 0.5);
    check('2', 2);
    check(2, 2);
    check('1.5Gi', 1.5 * 2 ** 30);
    check('128974848', 128_974_848);
    check('129M', 129e6);
    check('1k', 1000);
    check('4Ki', 4096);
    check('1e3', 1000);
    check('2E', 2e18);
    check('1Ei', 2 ** 60);
  });

  test('says of anything else that it is not a number', () => {
    check('', Number.NaN);
    check('Gi', Number.NaN);
    check('10GB', Number.NaN);
    check('1 Gi', Number.NaN);
  });
});
