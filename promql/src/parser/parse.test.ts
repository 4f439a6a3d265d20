import { describe, expect, test } from '@jest/globals';

import type { Expr, VectorSelector } from '../ast.ts';
import { parseExpr, parseMetric, parseSelector } from './parse.ts';
import { children } from './traverse.ts';

const EVERYTHING = { experimentalFunctions: true, extendedRangeSelectors: true, binopFillModifiers: true };

/** The tree with every operation in parentheses. */
function shape(expr: Expr): string {
  const parts = children(expr).map(shape);
  switch (expr.kind) {
    case 'number':
      return String(expr.value);
    case 'string':
      return `'${expr.value}'`;
    case 'selector':
      return expr.name;
    case 'binary':
      return `(${parts[0]} ${expr.op} ${parts[1]})`;
    case 'unary':
      return `(${expr.op} ${parts[0]})`;
    case 'paren':
      return `paren(${parts[0]})`;
    case 'call':
      return `${expr.func}(${parts.join(' ')})`;
    case 'aggregate':
      return `${expr.op}(${parts.join(' ')})`;
    case 'matrix':
      return `${parts[0]}[${expr.rangeMs}]`;
    case 'subquery':
      break;
  }
  return `${parts[0]}[${expr.rangeMs}:${expr.stepMs}]`;
}

function selector(text: string): VectorSelector {
  const expr = parseExpr(text, EVERYTHING);
  if (expr.kind !== 'selector') throw new Error(`${text} is a ${expr.kind}`);
  return expr;
}

describe('parseExpr', () => {
  function check(text: string, want: string): void {
    expect(shape(parseExpr(text, EVERYTHING))).toBe(want);
  }

  test('binds operators by precedence', () => {
    check('a + b * c', '(a + (b * c))');
    check('a * b + c', '((a * b) + c)');
    check('a - b - c', '((a - b) - c)');
    check('a ^ b ^ c', '(a ^ (b ^ c))');
    check('a or b and c unless d', '(a or ((b and c) unless d))');
    check('a < b + c and d', '((a < (b + c)) and d)');
    check('a % b atan2 c', '((a % b) atan2 c)');
    check('a </ 3 >/ 4', '((a </ 3) >/ 4)');
  });

  test('puts a sign below a power and into a number', () => {
    check('-a ^ b', '(- (a ^ b))');
    check('-4 ^ 3', '(- (4 ^ 3))');
    check('4 ^ -3 * 2', '((4 ^ -3) * 2)');
    check('-4 * 3', '(-4 * 3)');
    check('+a', '(+ a)');
  });

  test('reads every form of number', () => {
    check('7.25', '7.25');
    check('.5e1', '5');
    check('0x1F', '31');
    check('0X_ff', '255');
    check('017', '15');
    check('09', '9');
    check('12_000', '12000');
    check('iNf', 'Infinity');
    check('NAN', 'NaN');
    check('1m30s', '90');
    check('9007199254740993', '9007199254740992');
  });

  test('reads strings in three quotes', () => {
    check(String.raw`"a\tb\x41\u00e9\101\U0001f600"`, "'a\tbAéA😀'");
    check(String.raw`'it\'s'`, "'it's'");
    check('`raw\\n`', "'raw\\n'");
    expect(parseExpr(String.raw`"\xe9"`)).toMatchObject({ value: '\udce9' });
  });

  test('takes keywords for names where they can be nothing else', () => {
    check('sum + by', '(sum + by)');
    check('offset offset 1m', 'offset');
    check('fill + fill_left', '(fill + fill_left)');
    check('sum by (on, group_left, "odd name") (start)', 'sum(start)');
    check('SUM(count) BY (x)', 'sum(count)');
    check('a AND b', '(a and b)');
  });

  test('reads ranges and subqueries', () => {
    check('m[90s]', 'm[90000]');
    check('m[1e2]', 'm[100000]');
    check('m[0.0015]', 'm[1]');
    check('m{x="y"}[1h:]', 'm[3600000:0]');
    check('rate(m[5m])[1h:30s]', 'rate(m[300000])[3600000:30000]');
    check('m # the metric\n[ 5m # its range\n]', 'm[300000]');
  });

  test('keeps durations that depend on the query', () => {
    const expr = parseExpr('m[step() * 2] offset -(range() / 4)');
    expect(expr).toMatchObject({
      kind: 'matrix',
      rangeMs: 0,
      rangeExpr: { kind: 'binary', op: '*', lhs: { kind: 'call', func: 'step' }, rhs: { value: 2 } },
      selector: { offsetMs: 0, offsetExpr: { kind: 'unary', op: '-', expr: { kind: 'paren' } } },
    });
  });

  test('ends an offset without parentheses at its first operand', () => {
    check('m offset 5m + 3', '(m + 3)');
    check('m offset -5m ^ 2', '(m ^ 2)');
    expect(parseExpr('m offset (5m) + 3')).toMatchObject({ kind: 'selector', offsetExpr: { op: '+' } });
  });

  test('settles vector matching once the types are known', () => {
    const one = { card: 'one-to-one', labels: [], on: false, include: [] };
    expect(parseExpr('a + b')).toMatchObject({ matching: one });
    expect(parseExpr('a and b')).toMatchObject({ matching: { ...one, card: 'many-to-many' } });
    expect(parseExpr('a + 3')).not.toHaveProperty('matching');
    const grouped = { card: 'many-to-one', labels: ['x'], on: true, include: ['y', 'z'] };
    expect(parseExpr('a * on (x,) group_left (y, z) b')).toMatchObject({ matching: grouped });
    expect(parseExpr('a * ignoring (x) group_right b')).toMatchObject({ matching: { card: 'one-to-many' } });
    const filled = { fillLeft: -2, fillRight: 5 };
    expect(parseExpr('a * fill_right (5) fill_left (-2) b', EVERYTHING)).toMatchObject({ matching: filled });
  });

  test('gives byte positions', () => {
    expect(parseExpr('e{x="ö"} + b').pos).toEqual({ start: 0, end: 13 });
    expect(parseExpr('  sum ( a ) by (b)  ').pos).toEqual({ start: 2, end: 18 });
    expect(parseExpr('(sum(a) )')).toMatchObject({ expr: { pos: { start: 1, end: 7 } } });
    expect(parseExpr('m[5m] offset 1m')).toMatchObject({ pos: { end: 15 }, selector: { pos: { end: 1 } } });
  });

  test('freezes the tree', () => {
    const expr = parseExpr('sum(rate(m[step()]))');
    expect(Object.isFrozen(expr)).toBe(true);
    expect(children(expr).every((child) => Object.isFrozen(child))).toBe(true);
  });
});

describe('vector selectors', () => {
  function check(text: string, name: string, matchers: string): void {
    const found = selector(text);
    expect(found.name).toBe(name);
    expect(found.matchers.join(' ')).toBe(matchers);
  }

  test('have the name outside the braces as last matcher', () => {
    check('up', 'up', '__name__="up"');
    check('a:b{x="1", y!~"2|3",}', 'a:b', 'x="1" y!~"2|3" __name__="a:b"');
    check('{"odd.name", "odd label"=~"a.*"}', '', '__name__="odd.name" "odd label"=~"a.*"');
    check('{sum="1",sum!="2"}', '', 'sum="1" sum!="2"');
  });

  test('take modifiers in any order', () => {
    expect(selector('m @ 12.3456 offset 2m')).toMatchObject({
      at: { timestampMs: 12346 },
      offsetMs: 120_000,
    });
    expect(selector('m offset -90 @ end()')).toMatchObject({ at: 'end', offsetMs: -90_000 });
    expect(selector('m @ -0.0005')).toMatchObject({ at: { timestampMs: -1 } });
    expect(selector('m smoothed')).toMatchObject({ smoothed: true, anchored: false });
  });
});

test('parseSelector gives the matchers', () => {
  expect(parseSelector(' m{x!="1"} ').join(' ')).toBe('x!="1" __name__="m"');
  expect(parseSelector('{}')).toEqual([]);
  expect(() => parseSelector('m[5m]')).toThrow('1:2: parse error: unexpected "["');
  expect(() => parseSelector('m + 1')).toThrow('1:3: parse error: unexpected <op:+>');
});

test('parseMetric gives labels', () => {
  expect(parseMetric('m{b="2", a="1"}').toString()).toBe('{__name__="m", a="1", b="2"}');
  expect(parseMetric('{"odd.name", "odd label"="x"}').toRecord()).toEqual({
    __name__: 'odd.name',
    'odd label': 'x',
  });
  expect(parseMetric('').length).toBe(0);
  expect(() => parseMetric('m{a=~"1"}')).toThrow(
    '1:4: parse error: unexpected <op:=~> in label set, expected "="',
  );
});
