// Pass: selectors of which only the counts and sums of native histograms are looked at.

import type { Expr } from '../ast.ts';
import { isTrim } from '../engine/arithmetic.ts';
import { walk } from '../parser/traverse.ts';
import { type LogicalPlan, marked, type Marks } from './logical-plan.ts';

const STATS_FUNCTIONS = new Set(['histogram_count', 'histogram_sum', 'histogram_avg']);
const BUCKET_FUNCTIONS = new Set([
  'histogram_quantile',
  'histogram_quantiles',
  'histogram_fraction',
  'histogram_stddev',
  'histogram_stdvar',
]);

function needsBuckets(expr: Expr): boolean {
  if (expr.kind === 'subquery') return true; // Its resets are found between its own steps.
  if (expr.kind === 'call') return BUCKET_FUNCTIONS.has(expr.func);
  return expr.kind === 'binary' && isTrim(expr.op);
}

/** The selectors inside of a function of counts and sums, with nothing around them that needs buckets. */
export function markHistogramStats(plan: LogicalPlan): LogicalPlan {
  const found: [Expr, Marks][] = [];
  walk(plan.expr, (outer) => {
    if (needsBuckets(outer)) return false;
    if (outer.kind !== 'call' || !STATS_FUNCTIONS.has(outer.func)) return true;
    walk(outer, (inner) => {
      if (inner.kind === 'selector') found.push([inner, { isStats: true }]);
      return !needsBuckets(inner);
    });
    return false;
  });
  return marked(plan, found);
}
