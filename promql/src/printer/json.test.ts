import { describe, expect, test } from '@jest/globals';

import { parseExpr } from '../parser/parse.ts';
import { exprToJson } from './json.ts';

const EVERYTHING = { experimentalFunctions: true, binopFillModifiers: true };

describe('exprToJson', () => {
  function check(text: string, want: unknown): void {
    expect(JSON.parse(JSON.stringify(exprToJson(parseExpr(text, EVERYTHING))))).toEqual(want);
  }

  const selector = {
    type: 'vectorSelector',
    name: 'm',
    offset: 0,
    offsetExpr: null,
    matchers: [{ name: '__name__', value: 'm', type: '=' }],
    timestamp: null,
    startOrEnd: null,
    anchored: false,
    smoothed: false,
  };
  const number = { type: 'numberLiteral', val: '3' };

  test('writes literals', () => {
    check('3', number);
    check('-Inf', { type: 'numberLiteral', val: '-Inf' });
    check('"x"', { type: 'stringLiteral', val: 'x' });
    check(String.raw`"\xff"`, { type: 'stringLiteral', val: '\ufffd' });
  });

  test('writes selectors', () => {
    check('m', selector);
    check('m offset -1m @ start()', { ...selector, offset: -60_000, startOrEnd: 'start' });
    check('m[5m] @ 2', {
      ...selector,
      type: 'matrixSelector',
      timestamp: 2000,
      range: 300_000,
      rangeExpr: null,
    });
    const empty = {
      offset: 0,
      offsetExpr: null,
      stepExpr: null,
      rangeExpr: null,
      timestamp: null,
      startOrEnd: null,
    };
    check('m[5m:1m]', { type: 'subquery', expr: selector, range: 300_000, step: 60_000, ...empty });
  });

  test('writes durations that are expressions', () => {
    const literal = (val: string, duration: boolean): object => ({ type: 'numberLiteral', val, duration });
    const node = (op: string, lhs: unknown, rhs: unknown, wrapped = false): object => {
      return { type: 'durationExpr', op, lhs, rhs, wrapped };
    };
    const offset = (text: string, offsetExpr: object): void =>
      check(`m offset ${text}`, { ...selector, offsetExpr });
    offset('step()', node('step', null, null));
    offset('(5m)', node('+', null, literal('300', true), true));
    offset(
      '-(range() * 2)',
      node('-', null, node('*', node('range', null, null), literal('2', false), true)),
    );
    offset('min_of(5m, 1)', node('min_of', literal('300', true), literal('1', false)));
  });

  test('writes operations', () => {
    check('(-m)', { type: 'parenExpr', expr: { type: 'unaryExpr', op: '-', expr: selector } });
    const sum = {
      type: 'aggregation',
      op: 'sum',
      expr: selector,
      param: null,
      grouping: ['a'],
      without: true,
    };
    check('sum without (a) (m)', sum);
    check('topk(3, m)', { ...sum, op: 'topk', param: number, grouping: [], without: false });
    const scalars = { type: 'binaryExpr', op: '<', lhs: number, rhs: number, matching: null, bool: true };
    check('3 < bool 3', scalars);
    const matching = {
      card: 'many-to-one',
      labels: ['a'],
      on: true,
      include: ['b'],
      fillValues: { lhs: null, rhs: 3 },
    };
    const vectors = { ...scalars, lhs: selector, rhs: selector, matching, bool: false };
    check('m < on (a) group_left (b) fill_right (3) m', vectors);
    const func = { name: 'round', argTypes: ['vector', 'scalar'], variadic: 1, returnType: 'vector' };
    check('round(m, 3)', { type: 'call', func, args: [selector, number] });
  });
});
