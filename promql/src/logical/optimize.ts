// The passes, in their order: what is rewritten comes before what is marked.

import type { Call, Expr } from '../ast.ts';
import { markHistogramStats } from './histogram-stats.ts';
import type { LogicalPlan } from './logical-plan.ts';
import { propagateMatchers } from './propagate-matchers.ts';
import { markShared } from './shared-subtrees.ts';
import { markInvariant } from './step-invariance.ts';

/** `hasOneReference`: whether all selectors in an info() look at one time. */
export function optimize(query: Expr, hasOneReference: (info: Call) => boolean): LogicalPlan {
  const passes: readonly ((plan: LogicalPlan) => LogicalPlan)[] = [
    propagateMatchers,
    markShared,
    (plan) => markInvariant(plan, hasOneReference),
    markHistogramStats,
  ];
  return passes.reduce((plan, pass) => pass(plan), { expr: query, marks: new Map() } as LogicalPlan);
}
