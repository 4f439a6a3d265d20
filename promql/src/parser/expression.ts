// Expressions, by precedence climbing. From loose to tight:
//
//     or · and unless · == != < <= > >= </ >/ · + - · * / % atan2 · unary + - · ^ (from the right) · [] @ offset …

import type { AggregateExpr, BinaryExpr, BinaryOp, Call, Expr, ParenExpr } from '../ast.ts';
import { parseBinaryModifiers } from './binary-modifiers.ts';
import { fromByteText, goQuoteBytes } from './byte-text.ts';
import { functionTable } from './functions.ts';
import { parseGrouping } from './grouping.ts';
import { acceptNumber, signed, stringLiteral } from './literals.ts';
import { parseSelectorAfter } from './selector.ts';
import { parseAt, parseExtended, parseOffset, parseRange } from './selector-modifiers.ts';
import {
  isAggregator,
  isMetricName,
  startsExpression,
  tokenRange,
  type Token,
  type TokenType,
} from './token.ts';
import type { TokenStream } from './token-stream.ts';

const POWER = 6;
const COMPARISON = 3;
const PRECEDENCE: ReadonlyMap<TokenType, number> = new Map<TokenType, number>([
  ['or', 1],
  ...(['and', 'unless'] as const).map((op) => [op, 2] as const),
  ...(['==', '!=', '<', '<=', '>', '>=', '</', '>/'] as const).map((op) => [op, COMPARISON] as const),
  ...(['+', '-'] as const).map((op) => [op, 4] as const),
  ...(['*', '/', '%', 'atan2'] as const).map((op) => [op, 5] as const),
  ['^', POWER],
]);

const WITH_PARAM: ReadonlySet<TokenType> = new Set<TokenType>([
  'topk',
  'bottomk',
  'count_values',
  'quantile',
  'limitk',
  'limit_ratio',
]);
const EXPERIMENTAL: ReadonlySet<TokenType> = new Set<TokenType>(['limitk', 'limit_ratio']);
const FUNCTION_WORDS: ReadonlySet<TokenType> = new Set<TokenType>([
  'identifier',
  'start',
  'end',
  'step',
  'range',
  'max_of',
  'min_of',
]);
const IN_AGGREGATION = { where: 'aggregation', expected: '' };

/** Operators below `precedenceMin` are left to the caller. */
export function parseExpression(stream: TokenStream, precedenceMin = 1): Expr {
  stream.enter();
  let expr = parseUnary(stream);
  for (;;) {
    const precedence = PRECEDENCE.get(stream.peek().type) ?? 0;
    if (precedence < precedenceMin) break;
    expr = parseBinaryAfter(stream, expr, precedence);
  }
  stream.leave();
  return expr;
}

function parseBinaryAfter(stream: TokenStream, lhs: Expr, precedence: number): BinaryExpr {
  const operator = stream.take();
  const modifiers = parseBinaryModifiers(stream);
  const rhs = parseExpression(stream, precedence === POWER ? precedence : precedence + 1);
  const pos = { start: lhs.pos.start, end: rhs.pos.end };
  const { fillLeft, fillRight } = modifiers.matching;
  if (!stream.options.binopFillModifiers && (fillLeft !== undefined || fillRight !== undefined)) {
    stream.error('binop fill modifiers are experimental and not enabled', pos);
  }
  return { kind: 'binary', op: operator.type as BinaryOp, lhs, rhs, ...modifiers, pos };
}

/** A sign in front of a number belongs to the number, unless `^` comes between. */
function parseUnary(stream: TokenStream): Expr {
  const sign = stream.accept('+', '-');
  if (sign === undefined) return parsePostfix(stream, parsePrimary(stream));
  const expr = parseExpression(stream, POWER);
  if (expr.kind === 'number') return signed(sign, expr);
  const pos = { start: sign.pos, end: expr.pos.end };
  return { kind: 'unary', op: sign.type as '+' | '-', expr, pos };
}

function parsePostfix(stream: TokenStream, primary: Expr): Expr {
  let expr = primary;
  for (;;) {
    const token = stream.accept('[', 'offset', '@', 'anchored', 'smoothed');
    if (token === undefined) return expr;
    expr = parseModifier(stream, expr, token);
  }
}

function parseModifier(stream: TokenStream, expr: Expr, token: Token): Expr {
  if (token.type === '[') return parseRange(stream, expr, token);
  if (token.type === 'offset') return parseOffset(stream, expr);
  return token.type === '@' ? parseAt(stream, expr) : parseExtended(stream, expr, token);
}

function parsePrimary(stream: TokenStream): Expr {
  const number = acceptNumber(stream);
  if (number !== undefined) return number;
  const { type } = stream.peek();
  if (type === '{') return parseSelectorAfter(stream, undefined);
  if (type === 'string') return stringLiteral(stream.take());
  if (type === '(') return parseParen(stream, stream.take());
  return isMetricName(type) ? parseNamed(stream, stream.take()) : stream.unexpected();
}

function parseParen(stream: TokenStream, opening: Token): ParenExpr {
  const expr = parseExpression(stream);
  const { end } = tokenRange(stream.expect(')'));
  return { kind: 'paren', expr, pos: { start: opening.pos, end } };
}

/** `name` is an aggregator, a function or a metric, which is told by what follows. */
function parseNamed(stream: TokenStream, name: Token): Expr {
  const next = stream.peek().type;
  if (isAggregator(name.type) && (next === '(' || next === 'by' || next === 'without')) {
    return parseAggregate(stream, name, name.type);
  }
  return next === '(' && FUNCTION_WORDS.has(name.type)
    ? parseCall(stream, name)
    : parseSelectorAfter(stream, name);
}

interface Args {
  readonly args: Expr[];
  readonly end: number;
}

function parseArgs(stream: TokenStream): Args {
  const args: Expr[] = [];
  stream.expect('(');
  let closing = stream.accept(')');
  while (closing === undefined) {
    args.push(parseExpression(stream));
    closing = stream.accept(')');
    if (closing === undefined) parseComma(stream);
  }
  return { args, end: tokenRange(closing).end };
}

function parseComma(stream: TokenStream): void {
  const comma = stream.expect(',');
  if (startsExpression(stream.peek().type)) return;
  stream.error('trailing commas not allowed in function call args', tokenRange(comma));
}

function parseCall(stream: TokenStream, name: Token): Call {
  const { args, end } = parseArgs(stream);
  const func = fromByteText(name.text);
  const signature = functionTable[func];
  if (signature === undefined) {
    return stream.error(`unknown function with name ${goQuoteBytes(name.text)}`, tokenRange(name));
  }
  if (signature.experimental && !stream.options.experimentalFunctions) {
    stream.error(`function ${goQuoteBytes(name.text)} is not enabled`, tokenRange(name));
  }
  return { kind: 'call', func, args, pos: { start: name.pos, end } };
}

type Grouping = Pick<AggregateExpr, 'grouping' | 'without'>;

function acceptGrouping(stream: TokenStream): Grouping | undefined {
  const word = stream.accept('by', 'without');
  return word && { grouping: parseGrouping(stream), without: word.type === 'without' };
}

function parseAggregate(stream: TokenStream, name: Token, op: AggregateExpr['op']): AggregateExpr {
  return stream.within(IN_AGGREGATION, () => {
    const before = acceptGrouping(stream);
    const { args, end } = parseArgs(stream);
    const after = before === undefined ? acceptGrouping(stream) : undefined;
    const pos = { start: name.pos, end: after === undefined ? end : stream.lastClosing };
    const grouping = before ?? after ?? { grouping: [], without: false };
    return { kind: 'aggregate', op, ...aggregateArgs(stream, op, args, pos), ...grouping, pos };
  });
}

function aggregateArgs(
  stream: TokenStream,
  op: AggregateExpr['op'],
  args: readonly Expr[],
  pos: AggregateExpr['pos'],
): Pick<AggregateExpr, 'expr' | 'param'> {
  if (args.length === 0) stream.error('no arguments for aggregate expression provided', pos);
  if (EXPERIMENTAL.has(op) && !stream.options.experimentalFunctions) {
    const flag = '--enable-feature=promql-experimental-functions';
    stream.error(`${op}() is experimental and must be enabled with ${flag}`, pos);
  }
  const want = WITH_PARAM.has(op) ? 2 : 1;
  const [first, second] = args;
  if (first === undefined || args.length !== want) {
    const reason = `wrong number of arguments for aggregate expression provided, expected ${want}, got ${args.length}`;
    return stream.error(reason, pos);
  }
  return second === undefined ? { expr: first } : { param: first, expr: second };
}
