// Durations in brackets and after `offset`: a number of seconds, a duration, or arithmetic over them, `step()` and `range()`.
//
// The tree is made of number, unary, binary, paren and call (`step`, `range`, `min_of`, `max_of`) nodes; all values are seconds.

import type { BinaryOp, Expr, NumberLiteral, ParenExpr, PositionRange } from '../ast.ts';
import { acceptNumber, signed } from './literals.ts';
import { tokenRange, type Token } from './token.ts';
import type { TokenStream } from './token-stream.ts';

/** What does not fit into 64 bits of nanoseconds. */
const SECONDS_MAX = 2 ** 63 / 1e9;
const UNARY_PRECEDENCE = 3;
const PRECEDENCE: ReadonlyMap<string, number> = new Map([
  ['+', 1],
  ['-', 1],
  ['*', 2],
  ['/', 2],
  ['%', 2],
  ['^', UNARY_PRECEDENCE],
]);

function checkEnabled(stream: TokenStream, pos: PositionRange): void {
  if (!stream.options.durationExpressions)
    stream.error('experimental duration expression is not enabled', pos);
}

function checkedLiteral(stream: TokenStream, literal: NumberLiteral, pos = literal.pos): NumberLiteral {
  const fits = Math.abs(literal.value) <= SECONDS_MAX;
  return fits ? literal : stream.error('duration out of range', pos);
}

/** Within an expression NaN is for the engine to refuse. */
function checkedOperand(stream: TokenStream, literal: NumberLiteral, pos = literal.pos): NumberLiteral {
  return Number.isNaN(literal.value) ? literal : checkedLiteral(stream, literal, pos);
}

/** `sign` is a sign in front, which an offset takes with the call. */
function parseCall(stream: TokenStream, word: Token, sign?: Token): Expr {
  const takesArgs = word.type === 'min_of' || word.type === 'max_of';
  stream.expect('(');
  const args = takesArgs ? parseTwoArgs(stream) : [];
  const pos = { start: word.pos, end: tokenRange(stream.expect(')')).end };
  checkEnabled(stream, { ...pos, start: sign?.pos ?? args[0]?.pos.start ?? pos.start });
  const call: Expr = { kind: 'call', func: word.type, args, pos };
  if (sign === undefined) return call;
  return {
    kind: 'unary',
    op: sign.type === '-' ? '-' : '+',
    expr: call,
    pos: { start: sign.pos, end: pos.end },
  };
}

function parseTwoArgs(stream: TokenStream): Expr[] {
  const first = parseDurationExpr(stream);
  stream.expect(',');
  return [first, parseDurationExpr(stream)];
}

function parseParen(stream: TokenStream, opening: Token): Expr {
  const paren = parenthesized(stream, opening);
  checkEnabled(stream, paren.expr.pos);
  return paren;
}

/** Twice parenthesized is once. */
function parenthesized(stream: TokenStream, opening: Token): ParenExpr {
  const expr = parseDurationExpr(stream);
  const closing = stream.expect(')');
  const pos = { start: opening.pos, end: tokenRange(closing).end };
  return expr.kind === 'paren' ? expr : { kind: 'paren', expr, pos };
}

/** A plus in front of anything but a number says nothing and is dropped. */
function applySign(stream: TokenStream, sign: Token, expr: Expr): Expr {
  if (expr.kind === 'number') return checkedOperand(stream, signed(sign, expr), tokenRange(sign));
  return sign.type === '+' ? expr : negated(sign, expr);
}

function negated(sign: Token, expr: Expr): Expr {
  return { kind: 'unary', op: '-', expr, pos: { start: sign.pos, end: expr.pos.end } };
}

function parseOperand(stream: TokenStream): Expr {
  const literal = acceptNumber(stream);
  if (literal !== undefined) return checkedOperand(stream, literal);
  const sign = stream.accept('+', '-');
  if (sign !== undefined) return applySign(stream, sign, parseDurationExpr(stream, UNARY_PRECEDENCE));
  const word = stream.accept('step', 'range', 'min_of', 'max_of');
  if (word !== undefined) return parseCall(stream, word);
  return parseParen(stream, stream.expect('('));
}

/** Parentheses are not counted among what is in them. */
function bareRange(expr: Expr): PositionRange {
  return expr.kind === 'paren' ? expr.expr.pos : expr.pos;
}

function combine(stream: TokenStream, operator: Token, lhs: Expr, rhs: Expr): Expr {
  checkEnabled(stream, lhs.pos);
  const byZero = rhs.kind === 'number' && rhs.value === 0;
  if (byZero && operator.type === '/') stream.error('division by zero', tokenRange(operator));
  if (byZero && operator.type === '%') stream.error('modulo by zero', tokenRange(operator));
  const pos = { start: bareRange(lhs).start, end: bareRange(rhs).end };
  return { kind: 'binary', op: operator.type as BinaryOp, lhs, rhs, returnBool: false, pos };
}

function continueDuration(stream: TokenStream, first: Expr, precedenceMin = 1): Expr {
  let lhs = first;
  for (;;) {
    const precedence = PRECEDENCE.get(stream.peek().type) ?? 0;
    if (precedence < precedenceMin) return lhs;
    const operator = stream.take();
    const rightAssociative = operator.type === '^';
    lhs = combine(
      stream,
      operator,
      lhs,
      parseDurationExpr(stream, rightAssociative ? precedence : precedence + 1),
    );
  }
}

/** Operators below `precedenceMin` are left to the caller. */
function parseDurationExpr(stream: TokenStream, precedenceMin = 1): Expr {
  stream.enter();
  const expr = continueDuration(stream, parseOperand(stream), precedenceMin);
  stream.leave();
  return expr;
}

/** In brackets: literals must be more than 0. */
export function parsePositiveDuration(stream: TokenStream): Expr {
  const expr = parseDurationExpr(stream);
  if (expr.kind === 'number' && expr.value <= 0) stream.error('duration must be greater than 0', expr.pos);
  return expr;
}

function parseSignedOffset(stream: TokenStream, sign: Token): Expr {
  const literal = acceptNumber(stream);
  if (literal !== undefined) return checkedLiteral(stream, signed(sign, literal), tokenRange(sign));
  const word = stream.accept('step', 'range', 'min_of', 'max_of');
  if (word !== undefined) return parseCall(stream, word, sign);
  const opening = stream.accept('(');
  if (opening !== undefined) return applySign(stream, sign, parenthesized(stream, opening));
  return continueDuration(stream, applySign(stream, sign, parseDurationExpr(stream, UNARY_PRECEDENCE)));
}

/**
 * After `offset`. Without parentheses the offset ends at the first operand, so `m offset 5m + 1` adds to the vector;
 * but an operator after parentheses belongs to the offset.
 */
export function parseOffsetDuration(stream: TokenStream): Expr {
  const sign = stream.accept('+', '-');
  if (sign !== undefined) return parseSignedOffset(stream, sign);
  const literal = acceptNumber(stream);
  if (literal !== undefined) return checkedLiteral(stream, literal);
  const word = stream.accept('step', 'range', 'min_of', 'max_of');
  return word === undefined ? parseDurationExpr(stream) : parseCall(stream, word);
}

/** The duration as whole milliseconds, with the expression beside it if it takes the query window to resolve. */
export function durationMs(expr: Expr): { ms: number; expr: Expr | undefined } {
  if (expr.kind !== 'number') return { ms: 0, expr };
  return { ms: Math.trunc(roundHalfAway(expr.value * 1e9) / 1e6), expr: undefined };
}

/** Go's math.Round; JavaScript's rounds halves up. */
export function roundHalfAway(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value));
}
