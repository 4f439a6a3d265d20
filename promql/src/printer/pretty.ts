// An expression as text for reading: what /api/v1/format_query answers. An expression longer than a line is split, its
// parts are indented by two spaces, and each part that fits stays whole.

import type { Expr } from '../ast.ts';
import { children } from '../parser/traverse.ts';
import { printAggregateHead, printExpr, printOperator, printSubqueryTail } from './print.ts';

const LINE_BYTES_MAX = 100;

/** Deeper levels are indented no further, or a hostile query would be mostly spaces. */
const INDENT_LEVELS_MAX = 100;

function indent(level: number): string {
  return '  '.repeat(Math.min(level, INDENT_LEVELS_MAX));
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
      break;
  }
  return start + printExpr(expr);
}

/** True if the tree has more than `max` nodes, found without a look at the rest. */
function hasMoreNodes(root: Expr, max: number): boolean {
  const open = [root];
  for (let count = 0; count <= max; count++) {
    const expr = open.pop();
    if (expr === undefined) return false;
    for (const child of children(expr)) open.push(child);
  }
  return true;
}

function pretty(expr: Expr, level: number): string {
  // A node is printed as one byte at least: a large tree is not printed again for each of its levels.
  if (hasMoreNodes(expr, LINE_BYTES_MAX)) return split(expr, level);
  const line = printExpr(expr);
  if (Buffer.byteLength(line) > LINE_BYTES_MAX) return split(expr, level);
  // A subquery that fits is not indented: Prometheus does so too.
  return expr.kind === 'subquery' ? line : indent(level) + line;
}

/** Lines are split after 100 bytes. */
export function prettyExpr(expr: Expr): string {
  return pretty(expr, 0);
}
