import { describe, expect, test } from '@jest/globals';
import { assert, constantFrom, letrec, oneof, property, tuple } from 'fast-check';

import { parseExpr } from '../parser/parse.ts';
import { prettyExpr } from './pretty.ts';
import { printExpr } from './print.ts';

const EVERYTHING = { experimentalFunctions: true, extendedRangeSelectors: true, binopFillModifiers: true };

describe('printExpr', () => {
  function check(text: string, want: string): void {
    const printed = printExpr(parseExpr(text, EVERYTHING));
    expect(printed).toBe(want);
    expect(printExpr(parseExpr(printed, EVERYTHING))).toBe(want);
  }

  test('writes one way what may be written in many', () => {
    check('SUM BY(b,"odd name")(m)', 'sum by (b, "odd name") (m)');
    check('sum(m)without()', 'sum without () (m)');
    check('sum by () (m)', 'sum(m)');
    check('topk(2+1,m)', 'topk(2 + 1, m)');
    check("m{z='1',a!=`2`}", 'm{a!="2",z="1"}');
    check('{"odd.name",x="1"}', '{__name__="odd.name",x="1"}');
    check('{__name__=~"a|b"}', '{__name__=~"a|b"}');
    check('m[300]', 'm[5m]');
    check('m[1h:300] @ 1.5 offset -60', 'm[1h:5m] @ 1.500 offset -1m');
    check('m [ 5m ] smoothed offset 1d @ start()', 'm[5m] smoothed @ start() offset 1d');
    check('m anchored @ end()', 'm @ end() anchored');
    check('m[ (step()+1)*2 ] offset +(5m)', 'm[(step() + 1) * 2] offset (5m)');
    check('m offset -min_of( 5m ,range( ) )', 'm offset -min_of(5m, range())');
  });

  test('writes operators with their modifiers', () => {
    check('a==bool b', 'a == bool b');
    check('a/on(x,y)group_left(z)b', 'a / on (x, y) group_left (z) b');
    check('a/ignoring()group_right()b', 'a / ignoring () group_right () b');
    check('a+on()b', 'a + on () b');
    check('a+ignoring()b', 'a + b');
    check('a+fill(2)b', 'a + fill (2) b');
    check('a+fill_right(-1e30)fill_left(3)b', 'a + fill_left (3) fill_right (-1e+30) b');
  });

  test('writes literals as Go does', () => {
    check('1e9', '1000000000');
    check('-inf', '-Inf');
    check('90s', '1m30s');
    check('-1h', '-1h');
    check(`'a"b\\n\\x01é'`, String.raw`"a\"b\n\x01é"`);
    check(String.raw`"\xff"`, String.raw`"\xff"`);
    check('- (a)', '-(a)');
  });

  test('parses back to the same text, for random expressions', () => {
    const { expression } = letrec<{ expression: string }>((tie) => ({
      expression: oneof(
        { depthSize: 'small', withCrossShrink: true },
        constantFrom('m', 'm{x=~"a|b"} offset 5m', 'sum_over_time(m[1h:step()] @ 5)', '{"odd"}'),
        tuple(tie('expression'), constantFrom('+', '^', 'or', '== bool', '* on (x)'), tie('expression')).map(
          (parts) => parts.join(' '),
        ),
        tie('expression').map((inner) => `-${inner}`),
        tie('expression').map((inner) => `max by (job) (${inner})`),
        tie('expression').map((inner) => `(${inner})`),
        tie('expression').map((inner) => `label_replace((${inner}), "a", "$1", "b", "(.*)")`),
      ),
    }));
    assert(
      property(expression, (text) => {
        const expr = parseExpr(text);
        const printed = printExpr(expr);
        expect(printExpr(parseExpr(printed))).toBe(printed);
        expect(printExpr(parseExpr(prettyExpr(expr)))).toBe(printed);
      }),
      { numRuns: 200, seed: 42 },
    );
  });
});
