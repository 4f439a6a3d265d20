// Pass: aggregations that the query has more than once, if that they are evaluated once cannot be noticed: nothing in them
// makes a note while all samples are floats.

import { METRIC_NAME } from '@flotilla/model';
import type { Call, Expr } from '../ast.ts';
import { isTrim } from '../engine/arithmetic.ts';
import { isFoldOp } from '../engine/fold.ts';
import { mathFunctions } from '../engine/math-functions.ts';
import { overTimeKernels } from '../engine/over-time.ts';
import { COUNTER_SUFFIX } from '../engine/range-function.ts';
import { children, walk } from '../parser/traverse.ts';
import { printExpr } from '../printer/print.ts';
import { type LogicalPlan, marked, type Marks } from './logical-plan.ts';

const SILENT_FUNCTIONS: ReadonlySet<string> = new Set([
  ...Object.keys(mathFunctions),
  ...Object.keys(overTimeKernels),
  'clamp',
  'clamp_max',
  'clamp_min',
  'delta',
  'deriv',
  'idelta',
  'irate',
  'round',
  'scalar',
  'time',
  'vector',
]);

/** Whether no evaluation over floats can make a note. */
function isSilent(expr: Expr): boolean {
  return isSilentItself(expr) && children(expr).every(isSilent);
}

function isSilentItself(expr: Expr): boolean {
  switch (expr.kind) {
    case 'aggregate':
      return isFoldOp(expr.op);
    case 'binary':
      return !isTrim(expr.op);
    case 'call':
      return SILENT_FUNCTIONS.has(expr.func) || isRateOfCounter(expr);
    case 'selector':
      return !expr.anchored && !expr.smoothed;
    case 'matrix':
    case 'number':
    case 'paren':
    case 'subquery':
    case 'unary':
      return true;
    case 'string':
      break;
  }
  return false;
}

/** Of a metric whose name says that it counts. */
function isRateOfCounter({ func, args: [range] }: Call): boolean {
  if ((func !== 'rate' && func !== 'increase') || range?.kind !== 'matrix') return false;
  return range.selector.matchers.some(
    ({ type, name, value }) => type === '=' && name === METRIC_NAME && COUNTER_SUFFIX.test(value),
  );
}

export function markShared(plan: LogicalPlan): LogicalPlan {
  const places = new Map<string, Expr[]>();
  walk(plan.expr, (expr) => {
    if (expr.kind !== 'aggregate' || !isSilent(expr)) return;
    const text = printExpr(expr);
    places.set(text, [...(places.get(text) ?? []), expr]);
  });
  const shared = [...places].filter(([, found]) => found.length > 1);
  return marked(
    plan,
    shared.flatMap(([sharedAs, found]) => found.map((expr): [Expr, Marks] => [expr, { sharedAs }])),
  );
}
