// An expression as canonical text: what Prometheus's Expr.String() gives. Parsing it again gives the same tree.

import {
  compareUtf8,
  formatDuration,
  formatFloat,
  formatGoG,
  goQuote,
  isValidLegacyLabelName,
  METRIC_NAME,
} from '@flotilla/model';

import type {
  AggregateExpr,
  AtModifier,
  BinaryExpr,
  Expr,
  MatrixSelector,
  NumberLiteral,
  SubqueryExpr,
  VectorMatching,
  VectorSelector,
} from '../ast.ts';
import { goQuoteText } from '../parser/byte-text.ts';

function printLabels(labels: readonly string[]): string {
  return labels.map((label) => (isValidLegacyLabelName(label) ? label : goQuote(label))).join(', ');
}

function printNumber({ value, isDuration }: NumberLiteral): string {
  if (!isDuration) return formatFloat(value);
  const text = formatDuration(Math.trunc(Math.abs(value) * 1e3 + 1e-6));
  return value < 0 ? `-${text}` : text;
}

/** An aggregation up to its opening parenthesis. */
export function printAggregateHead({ op, without, grouping }: AggregateExpr): string {
  if (without) return `${op} without (${printLabels(grouping)}) `;
  return grouping.length > 0 ? `${op} by (${printLabels(grouping)}) ` : op;
}

function printFill({ fillLeft, fillRight }: VectorMatching): string {
  if (fillLeft !== undefined && fillLeft === fillRight) return ` fill (${formatGoG(fillLeft)})`;
  const left = fillLeft === undefined ? '' : ` fill_left (${formatGoG(fillLeft)})`;
  const right = fillRight === undefined ? '' : ` fill_right (${formatGoG(fillRight)})`;
  return left + right;
}

function printMatching(matching: VectorMatching): string {
  const { card, on, labels, include } = matching;
  const grouped = card === 'many-to-one' || card === 'one-to-many';
  const named = labels.length > 0 || on || grouped;
  const clause = named ? ` ${on ? 'on' : 'ignoring'} (${printLabels(labels)})` : '';
  const group = grouped
    ? ` group_${card === 'many-to-one' ? 'left' : 'right'} (${printLabels(include)})`
    : '';
  return clause + group + printFill(matching);
}

/** A binary operator with its modifiers. */
export function printOperator({ op, returnBool, matching }: BinaryExpr): string {
  return `${op}${returnBool ? ' bool' : ''}${matching === undefined ? '' : printMatching(matching)}`;
}

function printAt(at: AtModifier | undefined): string {
  if (at === undefined) return '';
  return typeof at === 'string' ? ` @ ${at}()` : ` @ ${(at.timestampMs / 1000).toFixed(3)}`;
}

function printOffset({ offsetMs, offsetExpr }: VectorSelector | SubqueryExpr): string {
  if (offsetExpr !== undefined) {
    // A plus says nothing, and only the tree keeps it.
    const bare = offsetExpr.kind === 'unary' && offsetExpr.op === '+' ? offsetExpr.expr : offsetExpr;
    return ` offset ${printExpr(bare)}`;
  }
  if (offsetMs === 0) return '';
  return ` offset ${offsetMs < 0 ? '-' : ''}${formatDuration(Math.abs(offsetMs))}`;
}

function printExtended({ anchored, smoothed }: VectorSelector): string {
  if (anchored) return ' anchored';
  return smoothed ? ' smoothed' : '';
}

function printDuration(ms: number, expr: Expr | undefined): string {
  return expr === undefined ? formatDuration(ms) : printExpr(expr);
}

function printMatchers({ name, matchers }: VectorSelector): string {
  const shown = matchers
    .filter(
      (matcher) =>
        name === '' || matcher.name !== METRIC_NAME || matcher.type !== '=' || matcher.value !== name,
    )
    .map((matcher) => matcher.toString());
  return shown.length === 0 ? name : `${name}{${shown.toSorted(compareUtf8).join(',')}}`;
}

function printSelector(selector: VectorSelector): string {
  return printMatchers(selector) + printAt(selector.at) + printExtended(selector) + printOffset(selector);
}

function printMatrix({ selector, rangeMs, rangeExpr }: MatrixSelector): string {
  const range = printDuration(rangeMs, rangeExpr);
  return `${printMatchers(selector)}[${range}]${printExtended(selector)}${printAt(selector.at)}${printOffset(selector)}`;
}

/** A subquery without its expression: `[1h:5m] @ start() offset 1m`. */
export function printSubqueryTail(subquery: SubqueryExpr): string {
  const { rangeMs, rangeExpr, stepMs, stepExpr } = subquery;
  const step = stepMs === 0 && stepExpr === undefined ? '' : printDuration(stepMs, stepExpr);
  return `[${printDuration(rangeMs, rangeExpr)}:${step}]${printAt(subquery.at)}${printOffset(subquery)}`;
}

function printAggregate(expr: AggregateExpr): string {
  const param = expr.param === undefined ? '' : `${printExpr(expr.param)}, `;
  return `${printAggregateHead(expr)}(${param}${printExpr(expr.expr)})`;
}

export function printExpr(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
      return printNumber(expr);
    case 'string':
      return goQuoteText(expr.value);
    case 'paren':
      return `(${printExpr(expr.expr)})`;
    case 'unary':
      return expr.op + printExpr(expr.expr);
    case 'binary':
      return `${printExpr(expr.lhs)} ${printOperator(expr)} ${printExpr(expr.rhs)}`;
    case 'aggregate':
      return printAggregate(expr);
    case 'call':
      return `${expr.func}(${expr.args.map(printExpr).join(', ')})`;
    case 'selector':
      return printSelector(expr);
    case 'matrix':
      return printMatrix(expr);
    case 'subquery':
      break;
  }
  return printExpr(expr.expr) + printSubqueryTail(expr);
}
