// Pass: which parts of a query give the same at every step, so that one evaluation is enough.
//
// A part is invariant if all its selectors are pinned by `@` and no function in it depends on the time of evaluation.

import type { Call, Expr } from '../ast.ts';
import { walk } from '../parser/traverse.ts';
import { type LogicalPlan, marked, type Marks, withoutParens } from './logical-plan.ts';

/** Functions that depend on when they are evaluated, even if their arguments do not. */
const DEPENDS_ON_TIME = new Set([
  'days_in_month',
  'day_of_month',
  'day_of_week',
  'day_of_year',
  'hour',
  'minute',
  'month',
  'year',
  'predict_linear',
  'time',
  'timestamp',
]);

/** Functions that are constants of the whole query. */
export const WINDOW_FUNCTIONS: ReadonlySet<string> = new Set(['start', 'end', 'step', 'range']);

/** `hasOneReference`: whether all selectors in an info() look at one time. */
export function markInvariant(plan: LogicalPlan, hasOneReference: (info: Call) => boolean): LogicalPlan {
  const invariance = new Invariance(hasOneReference);
  const found: [Expr, Marks][] = [];
  walk(plan.expr, (expr) => {
    const isOnce = expr.kind !== 'paren' && expr.kind !== 'string' && invariance.isInvariant(expr);
    // Numbers are as cheap at each step.
    if (isOnce && expr.kind !== 'number') found.push([expr, { isOnce }]);
    return true;
  });
  return marked(plan, found);
}

/** Answers for the nodes of one query; each is looked at once. */
class Invariance {
  private readonly known = new Map<Expr, boolean>();
  private readonly hasOneReference: (info: Call) => boolean;

  constructor(hasOneReference: (info: Call) => boolean) {
    this.hasOneReference = hasOneReference;
  }

  isInvariant(expr: Expr): boolean {
    const known = this.known.get(expr);
    if (known !== undefined) return known;
    const found = this.find(expr);
    this.known.set(expr, found);
    return found;
  }

  private find(expr: Expr): boolean {
    switch (expr.kind) {
      case 'number':
      case 'string':
        return true;
      case 'paren':
      case 'unary':
        return this.isInvariant(expr.expr);
      case 'binary':
        return this.isInvariant(expr.lhs) && this.isInvariant(expr.rhs);
      case 'aggregate':
        return this.isInvariant(expr.expr); // Its parameter, too, counts at the first step only.
      case 'call':
        return this.isInvariantCall(expr);
      case 'selector':
        return expr.at !== undefined;
      case 'matrix':
        return expr.selector.at !== undefined;
      case 'subquery':
        break;
    }
    return expr.at !== undefined;
  }

  private isInvariantCall(expr: Expr & { kind: 'call' }): boolean {
    if (WINDOW_FUNCTIONS.has(expr.func)) return true;
    const args = expr.args.map(withoutParens);
    if (expr.func === 'info') return this.isInvariant(args[0]!) && this.hasOneReference(expr);
    if (expr.func === 'timestamp') {
      // The time of a pinned sample is the sample's; of anything else it is the step's.
      return args.every((arg) => arg.kind === 'selector' && this.isInvariant(arg));
    }
    return !DEPENDS_ON_TIME.has(expr.func) && args.every((arg) => this.isInvariant(arg));
  }
}
