// The checker: types, argument counts and vector matching. It runs after the whole query has been parsed, parents before
// what they forbid but after what their children do wrong, in the order in which Prometheus reports.

import { goQuote, METRIC_NAME } from '@flotilla/model';

import type {
  AggregateExpr,
  BinaryExpr,
  Call,
  Expr,
  PositionRange,
  ValueType,
  VectorSelector,
} from '../ast.ts';
import { functionTable, type FunctionSignature } from './functions.ts';
import { DEPTH_MAX } from './limits.ts';
import { isSpace } from './lexer.ts';
import type { TokenStream } from './token-stream.ts';
import { children, durationExprs, valueType } from './traverse.ts';

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);
const SET_OPERATORS: ReadonlySet<string> = new Set(['and', 'or', 'unless']);

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function documented(type: ValueType): string {
  if (type === 'vector') return 'instant vector';
  return type === 'matrix' ? 'range vector' : type;
}

function below(expr: Expr): readonly Expr[] {
  const durations = durationExprs(expr);
  return durations.length === 0 ? children(expr) : [children(expr), durations].flat();
}

/** Fails if the tree is too deep for the recursion of all that walks it. Does not recurse itself. */
export function checkDepth(stream: TokenStream, root: Expr): void {
  let level: Expr[] = [root];
  for (let depth = 1; level.length > 0; depth++) {
    const first = level[0];
    if (first !== undefined && depth > DEPTH_MAX) stream.tooDeep(DEPTH_MAX, first.pos);
    level = level.flatMap((expr) => below(expr));
  }
}

/** Fails for an expression that does not fit together; returns the type of its value. */
export function checkTypes(stream: TokenStream, expr: Expr): ValueType {
  switch (expr.kind) {
    case 'number':
      return 'scalar';
    case 'string':
      return 'string';
    case 'paren':
      return checkTypes(stream, expr.expr);
    case 'selector':
      return checkSelector(stream, expr);
    case 'matrix':
      checkTypes(stream, expr.selector);
      return 'matrix';
    case 'unary':
      return checkUnary(stream, expr);
    case 'subquery':
      return checkSubquery(stream, expr);
    case 'aggregate':
      return checkAggregate(stream, expr);
    case 'binary':
      return checkBinary(stream, expr);
    case 'call':
      break;
  }
  return checkCall(stream, expr);
}

function want(stream: TokenStream, expr: Expr, type: ValueType, where: string): void {
  const found = checkTypes(stream, expr);
  if (found !== type) {
    stream.error(`expected type ${documented(type)} in ${where}, got ${documented(found)}`, expr.pos);
  }
}

function checkSelector(stream: TokenStream, selector: VectorSelector): ValueType {
  if (selector.name === '') {
    // A typo must not select every series.
    if (selector.matchers.every((matcher) => matcher.matches(''))) {
      stream.error('vector selector must contain at least one non-empty matcher', selector.pos);
    }
    return 'vector';
  }
  const second = selector.matchers.slice(0, -1).find(({ name }) => name === METRIC_NAME);
  if (second !== undefined) {
    const [outer, inner] = [goQuote(selector.name), goQuote(second.value)];
    stream.error(`metric name must not be set twice: ${outer} or ${inner}`, selector.pos);
  }
  return 'vector';
}

function checkUnary(stream: TokenStream, { expr, pos }: Extract<Expr, { kind: 'unary' }>): ValueType {
  const type = checkTypes(stream, expr);
  if (type !== 'scalar' && type !== 'vector') {
    const got = `"${documented(type)}"`;
    stream.error(
      `unary expression only allowed on expressions of type scalar or instant vector, got ${got}`,
      pos,
    );
  }
  return type;
}

function checkSubquery(stream: TokenStream, { expr, pos }: Extract<Expr, { kind: 'subquery' }>): ValueType {
  const type = checkTypes(stream, expr);
  if (type !== 'vector') stream.error(`subquery is only allowed on instant vector, got ${type} instead`, pos);
  return 'matrix';
}

function checkAggregate(stream: TokenStream, { op, expr, param }: AggregateExpr): ValueType {
  want(stream, expr, 'vector', 'aggregation expression');
  if (param !== undefined) {
    want(stream, param, op === 'count_values' ? 'string' : 'scalar', 'aggregation parameter');
  }
  return 'vector';
}

/** The operator of `expr`, with its modifiers, without the space around. */
function operatorRange({ bytes }: TokenStream, { lhs, rhs }: BinaryExpr): PositionRange {
  let [start, end] = [lhs.pos.end, rhs.pos.start];
  while (isSpace(bytes[start] ?? '')) start++;
  while (isSpace(bytes[end - 1] ?? '')) end--;
  return { start, end };
}

function checkBinary(stream: TokenStream, expr: BinaryExpr): ValueType {
  const [left, right] = [checkTypes(stream, expr.lhs), checkTypes(stream, expr.rhs)];
  const problem = operatorProblem(expr, left, right);
  if (problem !== undefined) stream.error(problem, operatorRange(stream, expr));
  for (const [side, type] of [[expr.lhs, left] as const, [expr.rhs, right] as const]) {
    if (type !== 'scalar' && type !== 'vector') {
      stream.error('binary expression must contain only scalar and instant vector types', side.pos);
    }
  }
  const unmatched = matchingProblem(expr, left === 'vector' && right === 'vector');
  if (unmatched !== undefined) stream.error(unmatched, expr.pos);
  settleMatching(expr, left === 'vector' && right === 'vector');
  return left === 'scalar' && right === 'scalar' ? 'scalar' : 'vector';
}

/** The parser cannot know whether both sides are vectors, so it leaves a `matching` on every operator. */
function settleMatching(expr: Mutable<BinaryExpr>, vectors: boolean): void {
  if (!vectors) delete expr.matching;
  else if (SET_OPERATORS.has(expr.op) && expr.matching !== undefined) {
    expr.matching = { ...expr.matching, card: 'many-to-many' };
  }
}

function operatorProblem(
  { op, returnBool, matching }: BinaryExpr,
  left: ValueType,
  right: ValueType,
): string | undefined {
  const comparison = COMPARISONS.has(op);
  if (returnBool && !comparison) return 'bool modifier can only be used on comparison operators';
  if (comparison && !returnBool && left === 'scalar' && right === 'scalar') {
    return 'comparisons between scalars must use BOOL modifier';
  }
  const both =
    matching?.on === true ? matching.labels.find((label) => matching.include.includes(label)) : undefined;
  return both === undefined
    ? undefined
    : `label ${goQuote(both)} must not occur in ON and GROUP clause at once`;
}

function matchingProblem({ op, matching }: BinaryExpr, vectors: boolean): string | undefined {
  const isSet = SET_OPERATORS.has(op);
  const fills = matching?.fillLeft !== undefined || matching?.fillRight !== undefined;
  if (vectors) {
    const grouped = matching?.card === 'many-to-one' || matching?.card === 'one-to-many';
    if (isSet && grouped) return `no grouping allowed for "${op}" operation`;
    return isSet && fills ? 'filling in missing series not allowed for set operators' : undefined;
  }
  const matches = matching !== undefined && matching.labels.length > 0;
  if (matches) return 'vector matching only allowed between instant vectors';
  if (fills) return 'filling in missing series only allowed between instant vectors';
  return isSet ? `set operator "${op}" not allowed in binary scalar expression` : undefined;
}

function argumentCountProblem(
  { name, args, variadic }: FunctionSignature,
  count: number,
): string | undefined {
  const call = `argument(s) in call to ${goQuote(name)}, got ${count}`;
  if (variadic === 0) return count === args.length ? undefined : `expected ${args.length} ${call}`;
  const min = args.length - 1;
  if (count < min) return `expected at least ${min} ${call}`;
  const max = min + variadic;
  return variadic > 0 && count > max ? `expected at most ${max} ${call}` : undefined;
}

/** The second argument of `info` only lends its matchers: any will do, even none. */
function checkInfoSelector(stream: TokenStream, call: Call, arg: Expr, where: string): void {
  const type = valueType(arg);
  if (type !== 'vector') {
    stream.error(`expected type instant vector in ${where}, got ${documented(type)}`, call.pos);
  }
  if (arg.kind !== 'selector') stream.error('expected label selectors only', arg.pos);
  if (arg.name !== '') {
    stream.error('expected label selectors only, got vector selector instead', arg.pos);
  }
}

function checkCall(stream: TokenStream, call: Call): ValueType {
  const signature = functionTable[call.func];
  if (signature === undefined) return 'none';
  const problem = argumentCountProblem(signature, call.args.length);
  if (problem !== undefined) stream.error(problem, call.pos);
  const where = `call to function ${goQuote(call.func)}`;
  if (call.func === 'info' && call.args[1] !== undefined)
    checkInfoSelector(stream, call, call.args[1], where);
  for (const [i, arg] of call.args.entries()) {
    const type = signature.args[Math.min(i, signature.args.length - 1)] ?? 'none';
    if (call.func !== 'info' || i !== 1) want(stream, arg, type, where);
  }
  return signature.returns;
}
