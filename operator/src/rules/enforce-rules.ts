// Keeps the rules of a namespace within it: the label on every result, and a matcher in every selector, as prom-label-proxy sets
// them for the Prometheus operator. What a rule says of the label itself is replaced.

import { Matcher } from '@flotilla/model';
import { parseExpr, printExpr } from '@flotilla/promql';
import type { Expr, VectorSelector } from '@flotilla/promql';
import type { RuleGroupSpec, RuleSpec } from '../objects/monitoring-schema.ts';

/** Throws ParseError for an expression that is none. */
export function enforceRules(
  groups: readonly RuleGroupSpec[],
  label: string,
  value: string,
): readonly RuleGroupSpec[] {
  const matcher = new Matcher('=', label, value);
  return groups.map((group) => ({
    ...group,
    rules: group.rules.map((rule): RuleSpec => {
      const expr = printExpr(withMatcher(parseExpr(rule.expr), matcher));
      return { ...rule, expr, labels: { ...rule.labels, [label]: value } };
    }),
  }));
}

function withMatcher(expr: Expr, matcher: Matcher): Expr {
  const inner = (one: Expr): Expr => withMatcher(one, matcher);
  switch (expr.kind) {
    case 'number':
    case 'string':
      return expr;
    case 'selector':
      return withMatcherIn(expr, matcher);
    case 'matrix':
      return { ...expr, selector: withMatcherIn(expr.selector, matcher) };
    case 'paren':
    case 'unary':
    case 'subquery':
      return { ...expr, expr: inner(expr.expr) };
    case 'binary':
      return { ...expr, lhs: inner(expr.lhs), rhs: inner(expr.rhs) };
    case 'aggregate':
      return {
        ...expr,
        expr: inner(expr.expr),
        ...(expr.param !== undefined && { param: inner(expr.param) }),
      };
    case 'call':
      return { ...expr, args: expr.args.map(inner) };
  }
}

function withMatcherIn(selector: VectorSelector, matcher: Matcher): VectorSelector {
  const others = selector.matchers.filter(({ name }) => name !== matcher.name);
  return { ...selector, matchers: [...others, matcher] };
}
