// PromQL: parser, checker, printer, engine.

export type {
  AggregateExpr,
  AggregateOp,
  AtModifier,
  BinaryExpr,
  BinaryOp,
  Call,
  Expr,
  MatchCardinality,
  MatrixSelector,
  NumberLiteral,
  ParenExpr,
  PositionRange,
  StringLiteral,
  SubqueryExpr,
  UnaryExpr,
  ValueType,
  VectorMatching,
  VectorSelector,
} from './ast.ts';
export { functionTable, type FunctionSignature } from './parser/functions.ts';
export type { ParserOptions } from './parser/options.ts';
export { parseExpr, parseMetric, parseSelector } from './parser/parse.ts';
export { ParseError } from './parser/parse-error.ts';
export { children, durationExprs, selectors, valueType, walk } from './parser/traverse.ts';
export { exprToJson } from './printer/json.ts';
export { prettyExpr } from './printer/pretty.ts';
export { printExpr } from './printer/print.ts';
export type {
  MemoryBudget,
  SelectContext,
  SelectHints,
  SelectResult,
  Series,
  Storage,
} from './storage.ts';
