// Expressions with other parts.

import type { Expr } from '../ast.ts';

/** The expression with what `change` makes of its parts; itself if that changes none. */
export function rebuilt(expr: Expr, change: (part: Expr) => Expr): Expr {
  switch (expr.kind) {
    case 'paren':
    case 'unary':
    case 'subquery': {
      const inner = change(expr.expr);
      return inner === expr.expr ? expr : { ...expr, expr: inner };
    }
    case 'binary': {
      const [lhs, rhs] = [change(expr.lhs), change(expr.rhs)];
      return lhs === expr.lhs && rhs === expr.rhs ? expr : { ...expr, lhs, rhs };
    }
    case 'aggregate': {
      const inner = change(expr.expr);
      const param = expr.param && change(expr.param);
      if (inner === expr.expr && param === expr.param) return expr;
      return { ...expr, expr: inner, ...(param && { param }) };
    }
    case 'call': {
      const args = expr.args.map(change);
      return args.every((arg, i) => arg === expr.args[i]) ? expr : { ...expr, args };
    }
    case 'matrix': {
      const selector = change(expr.selector);
      return selector === expr.selector || selector.kind !== 'selector' ? expr : { ...expr, selector };
    }
    case 'number':
    case 'string':
    case 'selector':
      break;
  }
  return expr;
}
