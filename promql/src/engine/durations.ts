// Durations that are expressions, resolved against the window of the query.

import type { Expr, PositionRange } from '../ast.ts';
import { combine, isComparison, isSetOp, isTrim, largest, smallest } from './arithmetic.ts';
import { durationExprs, walk } from '../parser/traverse.ts';
import { fail, QueryError } from './errors.ts';

/** The query as step(), range(), start() and end() see it. An instant query has a step of 0. */
export interface QueryWindow {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

/** The largest duration that fits 64 bits of nanoseconds, in seconds. */
const SECONDS_LIMIT = 2 ** 63 / 1e9;

/** What a duration is in milliseconds: the resolved expression, or the literal if there is none. */
export function resolveDuration(
  expr: Expr | undefined,
  literalMs: number,
  window: QueryWindow,
  sign: 'positive' | 'any',
): number {
  if (expr === undefined) return literalMs;
  const seconds = evaluate(expr, window);
  if (!Number.isFinite(seconds)) failAt(expr.pos, 'duration is NaN or infinite');
  if (seconds <= 0 && sign === 'positive') failAt(expr.pos, 'duration must be greater than 0');
  if (Math.abs(seconds) > SECONDS_LIMIT) failAt(expr.pos, 'duration is out of range');
  return Math.trunc(seconds * 1000);
}

/** Resolves all durations of a query, for what is wrong with them; they are its parameter's fault, so before all others. */
export function checkDurations(query: Expr, window: QueryWindow): void {
  walk(query, (expr) => {
    const offset = expr.kind === 'selector' || expr.kind === 'subquery' ? expr.offsetExpr : undefined;
    for (const one of durationExprs(expr))
      resolveDuration(one, 0, window, one === offset ? 'any' : 'positive');
  });
}

function failAt(pos: PositionRange, message: string): never {
  throw new QueryError('bad_data', `${pos.start}:${pos.end}: ${message}`);
}

function evaluate(expr: Expr, window: QueryWindow): number {
  if (expr.kind === 'number') return expr.value;
  if (expr.kind === 'paren') return evaluate(expr.expr, window);
  if (expr.kind === 'unary') return evaluate(expr.expr, window) * (expr.op === '-' ? -1 : 1);
  if (expr.kind === 'binary') return evaluateBinary(expr, window);
  if (expr.kind === 'call') return evaluateCall(expr, window);
  return fail(`unexpected duration expression type ${expr.kind}`);
}

function evaluateBinary(expr: Expr & { kind: 'binary' }, window: QueryWindow): number {
  const l = evaluate(expr.lhs, window);
  const r = evaluate(expr.rhs, window);
  const { op } = expr;
  if (op === '/' && r === 0) failAt(expr.pos, 'division by zero');
  if (op === '%' && r === 0) failAt(expr.pos, 'modulo by zero');
  if (isComparison(op) || isSetOp(op) || isTrim(op)) fail(`unexpected duration expression operator "${op}"`);
  const result = { values: new Float64Array(1), at: 0 };
  combine(op, { values: Float64Array.of(l), at: 0 }, { values: Float64Array.of(r), at: 0 }, result, 1);
  return result.values[0]!;
}

function evaluateCall(expr: Expr & { kind: 'call' }, window: QueryWindow): number {
  const args = expr.args.map((arg) => evaluate(arg, window));
  const [a = NaN, b = NaN] = args;
  switch (expr.func) {
    case 'step':
      return window.stepMs / 1000;
    case 'range':
      return (window.endMs - window.startMs) / 1000;
    case 'min_of':
      return smallest(a, b);
    case 'max_of':
      return largest(a, b);
    default:
      return fail(`unexpected duration expression function "${expr.func}"`);
  }
}
