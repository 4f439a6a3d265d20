// The syntax tree of PromQL: frozen plain objects with a `kind`, as the parser makes them and the checker accepts them.
//
// Positions are byte offsets into the UTF-8 query text, as Prometheus reports them. Durations are milliseconds.
// A duration that is an expression (`[5m * 2]`, `offset (step())`) keeps it in the `…Expr` field; the engine resolves it
// against the query window before it plans.

import type { Matcher } from '@flotilla/model';

export type ValueType = 'none' | 'vector' | 'scalar' | 'matrix' | 'string';

/** Half-open byte range [start, end) in the query text. */
export interface PositionRange {
  readonly start: number;
  readonly end: number;
}

export interface NumberLiteral {
  readonly kind: 'number';
  readonly value: number;
  /** Written as a duration (`5m`), which the printer keeps. */
  readonly isDuration: boolean;
  readonly pos: PositionRange;
}

export interface StringLiteral {
  readonly kind: 'string';
  readonly value: string;
  readonly pos: PositionRange;
}

export interface ParenExpr {
  readonly kind: 'paren';
  readonly expr: Expr;
  readonly pos: PositionRange;
}

export interface UnaryExpr {
  readonly kind: 'unary';
  readonly op: '+' | '-';
  readonly expr: Expr;
  readonly pos: PositionRange;
}

export type BinaryOp =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '^'
  | 'atan2'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | '</'
  | '>/'
  | 'and'
  | 'or'
  | 'unless';

export type MatchCardinality = 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many';

/** How the series of two vectors find each other. */
export interface VectorMatching {
  readonly card: MatchCardinality;
  /** `on(…)` or `ignoring(…)` labels. */
  readonly labels: readonly string[];
  /** True for `on`, false for `ignoring` and for neither. */
  readonly on: boolean;
  /** Labels of `group_left(…)` or `group_right(…)`. */
  readonly include: readonly string[];
  /** `fill_left` / `fill_right` values for sides without a match. */
  readonly fillLeft?: number;
  readonly fillRight?: number;
}

export interface BinaryExpr {
  readonly kind: 'binary';
  readonly op: BinaryOp;
  readonly lhs: Expr;
  readonly rhs: Expr;
  /** `bool` modifier of a comparison. */
  readonly returnBool: boolean;
  /** Present when both sides are vectors. */
  readonly matching?: VectorMatching;
  readonly pos: PositionRange;
}

export type AggregateOp =
  | 'sum'
  | 'avg'
  | 'count'
  | 'min'
  | 'max'
  | 'group'
  | 'stddev'
  | 'stdvar'
  | 'topk'
  | 'bottomk'
  | 'quantile'
  | 'count_values'
  | 'limitk'
  | 'limit_ratio';

export interface AggregateExpr {
  readonly kind: 'aggregate';
  readonly op: AggregateOp;
  readonly expr: Expr;
  readonly param?: Expr;
  readonly grouping: readonly string[];
  readonly without: boolean;
  readonly pos: PositionRange;
}

export interface Call {
  readonly kind: 'call';
  /** Name in the function table. */
  readonly func: string;
  readonly args: readonly Expr[];
  readonly pos: PositionRange;
}

/** `@ 123`, `@ start()`, `@ end()`; the timestamp in milliseconds. */
export type AtModifier = { readonly timestampMs: number } | 'start' | 'end';

export interface VectorSelector {
  readonly kind: 'selector';
  /** The metric name as written before the braces, else ''. It is also in `matchers`. */
  readonly name: string;
  readonly matchers: readonly Matcher[];
  readonly offsetMs: number;
  readonly offsetExpr?: Expr;
  readonly at?: AtModifier;
  readonly anchored: boolean;
  readonly smoothed: boolean;
  readonly pos: PositionRange;
}

/** A range selector `m[5m]`; offset and @ are those of its `selector`. */
export interface MatrixSelector {
  readonly kind: 'matrix';
  readonly selector: VectorSelector;
  readonly rangeMs: number;
  readonly rangeExpr?: Expr;
  readonly pos: PositionRange;
}

export interface SubqueryExpr {
  readonly kind: 'subquery';
  readonly expr: Expr;
  readonly rangeMs: number;
  readonly rangeExpr?: Expr;
  /** 0 when omitted: the default evaluation interval. */
  readonly stepMs: number;
  readonly stepExpr?: Expr;
  readonly offsetMs: number;
  readonly offsetExpr?: Expr;
  readonly at?: AtModifier;
  readonly pos: PositionRange;
}

export type Expr =
  | NumberLiteral
  | StringLiteral
  | ParenExpr
  | UnaryExpr
  | BinaryExpr
  | AggregateExpr
  | Call
  | VectorSelector
  | MatrixSelector
  | SubqueryExpr;
