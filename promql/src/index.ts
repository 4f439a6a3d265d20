// PromQL: parser, checker, printer, engine.

export {
  CHUNK_SAMPLES_MAX,
  type ChunkLayout,
  ColumnArena,
  ColumnDecoder,
  HistogramDecoder,
  JsonWriter,
  type PackedRows,
} from '@flotilla/kernel';
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
export { decodeXorChunk } from './chunk-decode.ts';
export { Engine } from './engine/engine.ts';
export type { EngineOptions, InstantQuery, QueryControl, RangeQuery } from './engine/engine.ts';
export { QueryError, QueryLimitError } from './engine/errors.ts';
export type { QueryErrorKind } from './engine/errors.ts';
export { makeBudget } from './engine/make-budget.ts';
export { MemoryStorage } from './engine/memory-storage.ts';
export type { QueryWindow } from './engine/durations.ts';
export type { PlanCost, PlanNode, PlanSelection } from './engine/plan-tree.ts';
export type {
  HistogramPoint,
  MatrixSeries,
  QueryData,
  QueryResult,
  QueryStats,
  SamplesPerStep,
  VectorSample,
} from './engine/result.ts';
export { almostEqual } from './testlang/compare.ts';
export { runTest } from './testlang/run-test.ts';
export type { TestOutcome } from './testlang/run-test.ts';
export { parseSequence, parseSeriesLine } from './testlang/sequence.ts';
export type { SequenceItem, SeriesDescription } from './testlang/sequence.ts';
export { functionTable, type FunctionSignature } from './parser/functions.ts';
export type { ParserOptions } from './parser/options.ts';
export { parseExpr, parseMetric, parseSelector } from './parser/parse.ts';
export { ParseError } from './parser/parse-error.ts';
export { tokensOf, type TokenText } from './parser/tokens.ts';
export { children, durationExprs, selectors, valueType, walk } from './parser/traverse.ts';
export { exprToJson } from './printer/json.ts';
export { prettyExpr } from './printer/pretty.ts';
export { printExpr } from './printer/print.ts';
export type {
  HistogramColumn,
  MemoryBudget,
  SelectContext,
  SelectHints,
  SelectResult,
  Series,
  Storage,
} from './storage.ts';
export { parseRuleFile } from './rulefmt/rule-file.ts';
export type { Rule, RuleFile, RuleFileError, RuleFileOptions, RuleGroup } from './rulefmt/rule-file.ts';
export { checkTemplate, expandTemplate } from './templates/expand-template.ts';
export { graphPath, type TemplateEnvironment } from './templates/template-functions.ts';
