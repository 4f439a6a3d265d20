// An expression as the JSON that /api/v1/parse_query answers and the tree view of Prometheus's UI reads.

import { formatFloat, type Matcher } from '@flotilla/model';

import type { AtModifier, BinaryExpr, Expr, MatrixSelector, SubqueryExpr, VectorSelector } from '../ast.ts';
import { functionTable } from '../parser/functions.ts';

export type ExprJson = { readonly [key: string]: unknown };

function matcherJson({ name, value, type }: Matcher): ExprJson {
  return { name, value, type };
}

function atJson(at: AtModifier | undefined): ExprJson {
  const isWord = typeof at === 'string';
  return { timestamp: at === undefined || isWord ? null : at.timestampMs, startOrEnd: isWord ? at : null };
}

function durationNode(op: string, lhs: ExprJson | null, rhs: ExprJson | null): ExprJson {
  return { type: 'durationExpr', op, lhs, rhs, wrapped: false };
}

/** Parentheses are a flag in this form; around a number they need an operator to carry it. */
function wrapped(expr: Expr): ExprJson | null {
  const inner = expr.kind === 'number' ? durationNode('+', null, durationJson(expr)) : durationJson(expr);
  return { ...inner, wrapped: true };
}

function durationJson(expr: Expr | undefined): ExprJson | null {
  if (expr === undefined) return null;
  switch (expr.kind) {
    case 'number':
      return { type: 'numberLiteral', val: formatFloat(expr.value), duration: expr.isDuration };
    case 'paren':
      return wrapped(expr.expr);
    case 'unary':
      return durationNode(expr.op, null, durationJson(expr.expr));
    case 'binary':
      return durationNode(expr.op, durationJson(expr.lhs), durationJson(expr.rhs));
    case 'call':
      return durationNode(expr.func, durationJson(expr.args[0]), durationJson(expr.args[1]));
    case 'string':
    case 'aggregate':
    case 'selector':
    case 'matrix':
    case 'subquery':
      break;
  }
  return null; // The parser makes no duration of these.
}

function selectorJson(selector: VectorSelector): ExprJson {
  const { name, offsetMs, offsetExpr, matchers, at, anchored, smoothed } = selector;
  return {
    name,
    offset: offsetMs,
    offsetExpr: durationJson(offsetExpr),
    matchers: matchers.map(matcherJson),
    ...atJson(at),
    anchored,
    smoothed,
  };
}

function matrixJson({ selector, rangeMs, rangeExpr }: MatrixSelector): ExprJson {
  return {
    type: 'matrixSelector',
    ...selectorJson(selector),
    range: rangeMs,
    rangeExpr: durationJson(rangeExpr),
  };
}

function subqueryJson(subquery: SubqueryExpr): ExprJson {
  return {
    type: 'subquery',
    expr: exprToJson(subquery.expr),
    range: subquery.rangeMs,
    rangeExpr: durationJson(subquery.rangeExpr),
    offset: subquery.offsetMs,
    offsetExpr: durationJson(subquery.offsetExpr),
    step: subquery.stepMs,
    stepExpr: durationJson(subquery.stepExpr),
    ...atJson(subquery.at),
  };
}

function matchingJson({ matching }: BinaryExpr): ExprJson | null {
  if (matching === undefined) return null;
  const { card, labels, on, include, fillLeft, fillRight } = matching;
  return { card, labels, on, include, fillValues: { lhs: fillLeft ?? null, rhs: fillRight ?? null } };
}

function functionJson(name: string): ExprJson {
  const { args, variadic, returns } = functionTable[name] ?? { args: [], variadic: 0, returns: 'none' };
  return { name, argTypes: args, variadic, returnType: returns };
}

/** Numbers are strings where they may be infinite; durations are milliseconds. */
export function exprToJson(expr: Expr): ExprJson {
  switch (expr.kind) {
    case 'number':
      return { type: 'numberLiteral', val: formatFloat(expr.value) };
    case 'string':
      // Bytes that are not UTF-8 leave as U+FFFD.
      return { type: 'stringLiteral', val: expr.value.replace(/[\ud800-\udfff]/gu, '\ufffd') };
    case 'paren':
      return { type: 'parenExpr', expr: exprToJson(expr.expr) };
    case 'unary':
      return { type: 'unaryExpr', op: expr.op, expr: exprToJson(expr.expr) };
    case 'binary': {
      const [lhs, rhs] = [exprToJson(expr.lhs), exprToJson(expr.rhs)];
      return {
        type: 'binaryExpr',
        op: expr.op,
        lhs,
        rhs,
        matching: matchingJson(expr),
        bool: expr.returnBool,
      };
    }
    case 'aggregate': {
      const { op, grouping, without } = expr;
      const param = expr.param === undefined ? null : exprToJson(expr.param);
      return { type: 'aggregation', op, expr: exprToJson(expr.expr), param, grouping, without };
    }
    case 'call':
      return { type: 'call', func: functionJson(expr.func), args: expr.args.map(exprToJson) };
    case 'selector':
      return { type: 'vectorSelector', ...selectorJson(expr) };
    case 'matrix':
      return matrixJson(expr);
    case 'subquery':
      break;
  }
  return subqueryJson(expr);
}
