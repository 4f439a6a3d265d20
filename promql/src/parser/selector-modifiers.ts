// What stands after an expression and narrows it in time: `[5m]`, `[1h:5m]`, `offset`, `@`, `anchored`, `smoothed`.
//
// Each function takes the expression so far and returns the one that replaces it.

import type { AtModifier, Expr, MatrixSelector, SubqueryExpr, VectorSelector } from '../ast.ts';
import {
  durationMs,
  parseOffsetDuration,
  parsePositiveDuration,
  roundHalfAway,
} from './duration-expression.ts';
import { acceptNumber, signed } from './literals.ts';
import { tokenRange, type Token } from './token.ts';
import type { TokenStream } from './token-stream.ts';

const IN_RANGE = { where: 'subquery or range selector', expected: 'number, duration, step(), or range()' };
const AFTER_RANGE = { where: 'subquery or range', expected: '":" or "]"' };
const IN_STEP = { where: 'subquery selector', expected: 'number, duration, step(), range(), or "]"' };
const AFTER_STEP = { where: 'subquery selector', expected: '"]"' };
const IN_OFFSET = { where: 'offset', expected: 'number, duration, step(), or range()' };
const IN_AT = { where: '@', expected: 'timestamp' };

/** The node that carries the offset and `@` of `expr`; undefined if it cannot have one. */
function carrier(expr: Expr): VectorSelector | SubqueryExpr | undefined {
  if (expr.kind === 'matrix') return expr.selector;
  return expr.kind === 'selector' || expr.kind === 'subquery' ? expr : undefined;
}

function carrierOrFail(stream: TokenStream, expr: Expr, modifier: string): VectorSelector | SubqueryExpr {
  const selectable = 'an instant vector selector or range vector selector or a subquery';
  return carrier(expr) ?? stream.error(`${modifier} modifier must be preceded by ${selectable}`, expr.pos);
}

type Change = Partial<Pick<VectorSelector, 'offsetMs' | 'offsetExpr' | 'at' | 'anchored' | 'smoothed'>>;

/** `expr` with the change made to its carrier, ending at `end`. */
function changed(expr: Expr, change: Change, end: number): Expr {
  const pos = { start: expr.pos.start, end };
  if (expr.kind === 'matrix') return { ...expr, selector: { ...expr.selector, ...change }, pos };
  return { ...expr, ...change, pos };
}

function hasOffset(node: VectorSelector | SubqueryExpr): boolean {
  return node.offsetMs !== 0 || node.offsetExpr !== undefined;
}

/** The word has been taken. */
export function parseOffset(stream: TokenStream, expr: Expr): Expr {
  const duration = durationMs(stream.within(IN_OFFSET, () => parseOffsetDuration(stream)));
  if (hasOffset(carrierOrFail(stream, expr, 'offset'))) {
    stream.error('offset may not be set multiple times', expr.pos);
  }
  const offsetExpr = duration.expr === undefined ? {} : { offsetExpr: duration.expr };
  return changed(expr, { offsetMs: duration.ms, ...offsetExpr }, stream.lastClosing);
}

function showSeconds(seconds: number): string {
  if (Number.isNaN(seconds)) return 'NaN';
  if (!Number.isFinite(seconds)) return seconds > 0 ? '+Inf' : '-Inf';
  return `${BigInt(seconds)}.000000`;
}

function parseTimestamp(stream: TokenStream, expr: Expr): AtModifier {
  const sign = stream.accept('+', '-');
  const literal = acceptNumber(stream) ?? stream.unexpected(IN_AT);
  const seconds = sign === undefined ? literal.value : signed(sign, literal).value;
  if (!(Math.abs(seconds) < 2 ** 63)) {
    stream.error(`timestamp out of bounds for @ modifier: ${showSeconds(seconds)}`, expr.pos);
  }
  return { timestampMs: roundHalfAway(seconds * 1000) };
}

function parseWindowEnd(stream: TokenStream, word: Token): AtModifier {
  stream.expect('(', IN_AT);
  stream.expect(')', IN_AT);
  return word.type === 'start' ? 'start' : 'end';
}

/** The `@` has been taken. */
export function parseAt(stream: TokenStream, expr: Expr): Expr {
  const word = stream.accept('start', 'end');
  const at = word === undefined ? parseTimestamp(stream, expr) : parseWindowEnd(stream, word);
  if (carrierOrFail(stream, expr, '@').at !== undefined) {
    stream.error('@ <timestamp> may not be set multiple times', expr.pos);
  }
  return changed(expr, { at }, stream.lastClosing);
}

function extendable(stream: TokenStream, expr: Expr, word: string): VectorSelector {
  if (!stream.options.extendedRangeSelectors) {
    stream.error(`${word} modifier is experimental and not enabled`, expr.pos);
  }
  if (expr.kind === 'matrix') return expr.selector;
  if (expr.kind === 'selector') return expr;
  const reason = expr.kind === 'subquery' ? 'is not supported for subqueries' : 'not implemented';
  return stream.error(`${word} modifier ${reason}`, expr.pos);
}

/** `word`, `anchored` or `smoothed`, has been taken. */
export function parseExtended(stream: TokenStream, expr: Expr, word: Token): Expr {
  const selector = extendable(stream, expr, word.type);
  const anchored = selector.anchored || word.type === 'anchored';
  const smoothed = selector.smoothed || word.type === 'smoothed';
  if (anchored && smoothed) {
    stream.error('anchored and smoothed modifiers cannot be used together', expr.pos);
  }
  return changed(expr, { anchored, smoothed }, expr.pos.end);
}

function rangeProblem(expr: Expr): string | undefined {
  if (expr.kind !== 'selector') return 'ranges only allowed for vector selectors';
  if (hasOffset(expr)) return 'no offset modifiers allowed before range';
  return expr.at === undefined ? undefined : 'no @ modifiers allowed before range';
}

function rangeSelector(
  stream: TokenStream,
  expr: Expr,
  range: Expr,
  brackets: [Token, Token],
): MatrixSelector {
  const [start, end] = [brackets[0].pos, tokenRange(brackets[1]).end];
  const problem = rangeProblem(expr);
  if (problem !== undefined) stream.error(problem, { start, end });
  const { ms: rangeMs, expr: rangeExpr } = durationMs(range);
  const pos = { start: expr.pos.start, end };
  const node = { kind: 'matrix', selector: expr as VectorSelector, rangeMs, pos } as const;
  return rangeExpr === undefined ? node : { ...node, rangeExpr };
}

function subquery(stream: TokenStream, expr: Expr, range: Expr): SubqueryExpr {
  const atOnce = stream.accept(']');
  const step = atOnce === undefined ? stream.within(IN_STEP, () => parsePositiveDuration(stream)) : undefined;
  const closing = atOnce ?? stream.expect(']', AFTER_STEP);
  const { ms: rangeMs, expr: rangeExpr } = durationMs(range);
  const { ms: stepMs, expr: stepExpr } = step === undefined ? { ms: 0, expr: undefined } : durationMs(step);
  return {
    kind: 'subquery',
    expr,
    rangeMs,
    ...(rangeExpr === undefined ? {} : { rangeExpr }),
    stepMs,
    ...(stepExpr === undefined ? {} : { stepExpr }),
    offsetMs: 0,
    pos: { start: expr.pos.start, end: tokenRange(closing).end },
  };
}

/** `opening`, the bracket, has been taken. */
export function parseRange(stream: TokenStream, expr: Expr, opening: Token): Expr {
  const range = stream.within(IN_RANGE, () => parsePositiveDuration(stream));
  const closing = stream.accept(']');
  if (closing !== undefined) return rangeSelector(stream, expr, range, [opening, closing]);
  stream.expect(':', AFTER_RANGE);
  return subquery(stream, expr, range);
}
