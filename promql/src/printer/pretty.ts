// An expression as text for reading: what /api/v1/format_query answers. An expression longer than a line is split, its
// parts are indented by two spaces, and each part that fits stays whole.

import type { Expr } from '../ast.ts';
import { printAggregateHead, printExpr, printOperator, printSubqueryTail } from './print.ts';

const LINE_BYTES_MAX = 100;

function indent(level: number): string {
  return '  '.repeat(level);
}

/** The parts of a split expression, one a line, at `level`. */
function split(expr: Expr, level: number): string {
  const start = indent(level);
  switch (expr.kind) {
    case 'aggregate': {
      const param = expr.param === undefined ? '' : `${pretty(expr.param, level + 1)},\n`;
      return `${start}${printAggregateHead(expr)}(\n${param}${pretty(expr.expr, level + 1)}\n${start})`;
    }
    case 'binary': {
      const [lhs, rhs] = [pretty(expr.lhs, level + 1), pretty(expr.rhs, level + 1)];
      return `${lhs}\n${start}${printOperator(expr)}\n${rhs}`;
    }
    case 'call': {
      const args = expr.args.map((arg) => pretty(arg, level + 1)).join(',\n');
      return `${start}${expr.func}(\n${args}\n${start})`;
    }
    case 'paren':
      return `${start}(\n${pretty(expr.expr, level + 1)}\n${start})`;
    case 'subquery':
      return pretty(expr.expr, level) + printSubqueryTail(expr);
    case 'unary':
      return `${start}${expr.op}${pretty(expr.expr, level).trim()}`;
    case 'number':
    case 'string':
    case 'selector':
    case 'matrix':
      return start + printExpr(expr);
  }
}

function pretty(expr: Expr, level: number): string {
  const line = printExpr(expr);
  const splits = Buffer.byteLength(line) > LINE_BYTES_MAX;
  if (splits) return split(expr, level);
  // A subquery that fits is not indented: Prometheus does so too.
  return expr.kind === 'subquery' ? line : indent(level) + line;
}

/** Lines are split after 100 bytes. */
export function prettyExpr(expr: Expr): string {
  return pretty(expr, 0);
}
