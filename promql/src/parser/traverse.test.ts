import { expect, test } from '@jest/globals';

import { parseExpr } from './parse.ts';
import { durationExprs, selectors, valueType, walk } from './traverse.ts';

test('walk goes parents first and shows the path', () => {
  const seen: string[] = [];
  walk(parseExpr('topk(2, rate(m[5m]) + n)'), (expr, path) => {
    seen.push(`${path.length} ${expr.kind}`);
    return expr.kind !== 'call';
  });
  expect(seen).toEqual(['0 aggregate', '1 binary', '2 call', '2 selector', '1 number']);
});

test('selectors finds those in ranges and subqueries', () => {
  const found = selectors(parseExpr('sum(a) + max_over_time(rate(b[5m])[1h:]) > scalar(c)'));
  expect(found.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
});

test('durationExprs gives those of the node itself', () => {
  const found = durationExprs(parseExpr('a[5m + step():range()] offset (5m)'));
  expect(found.map(({ kind }) => kind)).toEqual(['binary', 'call', 'paren']);
});

test('valueType follows the value', () => {
  const check = (text: string, want: string): void => expect(valueType(parseExpr(text))).toBe(want);
  check('1 + -time()', 'scalar');
  check('(a + 1)', 'vector');
  check('a[5m]', 'matrix');
  check('a[5m:]', 'matrix');
  check('"x"', 'string');
  check('scalar(a)', 'scalar');
});
