import { describe, expect, test } from '@jest/globals';
import { ValueCache } from './value-cache.ts';

describe('ValueCache', () => {
  test('asks once per value, even when the answer is undefined', () => {
    const asked: string[] = [];
    const cache = new ValueCache((value) => {
      asked.push(value);
      return value === 'a' ? undefined : value.length;
    });
    expect([cache.get('a'), cache.get('a'), cache.get('bb'), cache.get('bb')]).toEqual([
      undefined,
      undefined,
      2,
      2,
    ]);
    expect(asked).toEqual(['a', 'bb']);
  });

  test('does not hold long values', () => {
    const cache = new ValueCache((value) => value.length);
    expect([cache.get('x'.repeat(257)), cache.size]).toEqual([257, 0]);
  });

  test('starts over, with all others, when the budget is spent', () => {
    const first = new ValueCache((value) => value);
    const second = new ValueCache((value) => value);
    first.get('a');
    const tail = 'x'.repeat(250);
    for (let i = 0; i < 80_000; i++) second.get(`${i}${tail}`.slice(0, 256));
    expect(first.size).toBe(0);
    expect(second.size).toBeLessThan(60_000);
    expect(first.get('a')).toBe('a');
  });
});
