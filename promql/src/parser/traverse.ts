// Ways through a syntax tree, and the type of each node's value.

import type { Expr, ValueType, VectorSelector } from '../ast.ts';
import { functionTable } from './functions.ts';

/** The expressions that are evaluated for this one, in order; durations that are expressions are not among them. */
export function children(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'number':
    case 'string':
    case 'selector':
      return [];
    case 'paren':
    case 'unary':
    case 'subquery':
      return [expr.expr];
    case 'binary':
      return [expr.lhs, expr.rhs];
    case 'aggregate':
      return expr.param === undefined ? [expr.expr] : [expr.expr, expr.param];
    case 'call':
      return expr.args;
    case 'matrix':
      break;
  }
  return [expr.selector];
}

/** The durations of this node that are expressions. */
export function durationExprs(expr: Expr): readonly Expr[] {
  return possibleDurations(expr).filter((one) => one !== undefined);
}

function possibleDurations(expr: Expr): readonly (Expr | undefined)[] {
  if (expr.kind === 'selector') return [expr.offsetExpr];
  if (expr.kind === 'matrix') return [expr.rangeExpr];
  return expr.kind === 'subquery' ? [expr.rangeExpr, expr.stepExpr, expr.offsetExpr] : [];
}

/** Visits the expression and all below it, parents first. A visitor that returns false is not shown the children. */
export function walk(expr: Expr, visit: (expr: Expr, path: readonly Expr[]) => boolean | void): void {
  const path: Expr[] = [];
  const step = (node: Expr): void => {
    if (visit(node, path) === false) return;
    path.push(node);
    for (const child of children(node)) step(child);
    path.pop();
  };
  step(expr);
}

/** All vector selectors, those in range selectors included, in order of the tree. */
export function selectors(expr: Expr): VectorSelector[] {
  const found: VectorSelector[] = [];
  walk(expr, (node) => {
    if (node.kind === 'selector') found.push(node);
  });
  return found;
}

export function valueType(expr: Expr): ValueType {
  switch (expr.kind) {
    case 'number':
      return 'scalar';
    case 'string':
      return 'string';
    case 'selector':
    case 'aggregate':
      return 'vector';
    case 'matrix':
    case 'subquery':
      return 'matrix';
    case 'paren':
    case 'unary':
      return valueType(expr.expr);
    case 'binary':
      return valueType(expr.lhs) === 'scalar' && valueType(expr.rhs) === 'scalar' ? 'scalar' : 'vector';
    case 'call':
      break;
  }
  return functionTable[expr.func]?.returns ?? 'none';
}
