// A query between its text and its operators: the expression, rewritten where that changes nothing in the answer, and
// marks on its parts that say how they may be computed. Passes make plans of plans; none knows of steps or storages.

import type { Matcher } from '@flotilla/model';
import type { Expr } from '../ast.ts';
import { children } from '../parser/traverse.ts';
import { printExpr } from '../printer/print.ts';

export interface Marks {
  /** It gives the same at every step. */
  readonly isOnce?: true;
  /** Of native histograms only counts and sums are looked at. */
  readonly isStats?: true;
  /** What the query has more than once, as text: one evaluation is enough. */
  readonly sharedAs?: string;
  /** Matchers that are not the query's: what another vector is joined with lets no other series through. */
  readonly added?: readonly Matcher[];
}

export interface LogicalPlan {
  readonly expr: Expr;
  readonly marks: ReadonlyMap<Expr, Marks>;
}

export function withoutParens(expr: Expr): Expr {
  let bare = expr;
  while (bare.kind === 'paren') bare = bare.expr;
  return bare;
}

/** The plan with more marks on some of its parts. */
export function marked(plan: LogicalPlan, parts: Iterable<readonly [Expr, Marks]>): LogicalPlan {
  const marks = new Map(plan.marks);
  for (const [expr, more] of parts) marks.set(expr, { ...marks.get(expr), ...more });
  return { ...plan, marks };
}

/** What marks say, for people. */
export function markTexts({ isOnce, isStats, sharedAs, added }: Marks): string[] {
  return [
    ...(isOnce ? ['evaluated once'] : []),
    ...(isStats ? ['only counts and sums of histograms'] : []),
    ...(sharedAs === undefined ? [] : ['shared']),
    ...(added === undefined ? [] : [`matchers of the other side: ${added.join(', ')}`]),
  ];
}

/** One line for each part, with its marks, for tests and people. */
export function printPlan({ expr, marks }: LogicalPlan): string {
  const lines: string[] = [];
  const visit = (part: Expr, depth: number): void => {
    const bare = withoutParens(part);
    const texts = markTexts(marks.get(bare) ?? {});
    lines.push(
      `${'  '.repeat(depth)}${printExpr(bare)}${texts.length === 0 ? '' : `  # ${texts.join('; ')}`}`,
    );
    for (const child of children(bare)) visit(child, depth + 1);
  };
  visit(expr, 0);
  return lines.join('\n');
}
