// The variants that an instant query is also run as: the same with `@` on every selector, at other times.

import type { Expr } from '../ast.ts';
import { walk } from '../parser/traverse.ts';
import { printExpr } from '../printer/print.ts';

/** Functions whose value moves with the evaluation time however their arguments are pinned. */
const UNPINNABLE = new Set([
  'days_in_month',
  'day_of_month',
  'day_of_week',
  'day_of_year',
  'end',
  'hour',
  'minute',
  'month',
  'year',
  'predict_linear',
  'range',
  'start',
  'step',
  'time',
  'timestamp',
]);

/** Sets `@` on selectors and subqueries that have none; what is inside a subquery with one stays as it is. */
function pin(expr: Expr, timestampMs: number): Expr {
  const at = { timestampMs };
  const inner = (one: Expr): Expr => pin(one, timestampMs);
  switch (expr.kind) {
    case 'number':
    case 'string':
      return expr;
    case 'paren':
    case 'unary':
      return { ...expr, expr: inner(expr.expr) };
    case 'binary':
      return { ...expr, lhs: inner(expr.lhs), rhs: inner(expr.rhs) };
    case 'aggregate': {
      const whole = { ...expr, expr: inner(expr.expr) };
      return expr.param === undefined ? whole : { ...whole, param: inner(expr.param) };
    }
    case 'call':
      return { ...expr, args: expr.args.map(inner) };
    case 'selector':
      break;
    case 'matrix':
      return { ...expr, selector: { ...expr.selector, at: expr.selector.at ?? at } };
    case 'subquery':
      break;
  }
  return { ...expr, at: expr.at ?? at };
}

export interface PinnedQuery {
  readonly expr: string;
  readonly timeMs: number;
}

/** None if a function in the expression depends on the evaluation time. */
export function pinnedQueries(expr: Expr, timeMs: number): PinnedQuery[] {
  let pinnable = true;
  walk(expr, (node) => {
    if (node.kind === 'call' && UNPINNABLE.has(node.func)) pinnable = false;
    return !(node.kind === 'subquery' && node.at !== undefined);
  });
  if (!pinnable) return [];
  const text = printExpr(pin(expr, timeMs));
  const times =
    timeMs === 0 ? [-1000, 0, 1000] : [-10 * timeMs, 0, Math.trunc(timeMs / 5), timeMs, 10 * timeMs];
  return times.map((time) => ({ expr: text, timeMs: time }));
}
