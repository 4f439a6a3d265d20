// The entry points: text in, tree out, or a ParseError.

import type { Labels, Matcher } from '@flotilla/model';

import type { Expr } from '../ast.ts';
import { checkDepth, checkTypes } from './check.ts';
import { parseExpression } from './expression.ts';
import type { ParserOptions } from './options.ts';
import { parseMetricLabels, parseVectorSelector } from './selector.ts';
import { TokenStream } from './token-stream.ts';
import { children, durationExprs } from './traverse.ts';

function freeze(expr: Expr): void {
  Object.freeze(expr);
  for (const child of children(expr)) freeze(child);
  for (const duration of durationExprs(expr)) freeze(duration);
}

/** A whole query, checked. Positions are byte offsets. Throws ParseError. */
export function parseExpr(text: string, options: ParserOptions = {}): Expr {
  const stream = new TokenStream(text, options);
  if (stream.peek().type === 'end of input') {
    stream.error('no expression found in input', { start: 0, end: 0 });
  }
  const expr = parseExpression(stream);
  stream.expect('end of input');
  checkDepth(stream, expr);
  checkTypes(stream, expr);
  freeze(expr);
  return expr;
}

/** The matchers of a selector, as in `match[]`; whether one of them is non-empty is left to the caller. Throws ParseError. */
export function parseSelector(text: string): readonly Matcher[] {
  const stream = new TokenStream(text, {});
  const { matchers } = parseVectorSelector(stream);
  stream.expect('end of input');
  return matchers;
}

/** A metric such as `up{job="x"}`. A label that is named twice keeps its last value. Throws ParseError. */
export function parseMetric(text: string): Labels {
  const stream = new TokenStream(text, {});
  const labels = parseMetricLabels(stream);
  stream.expect('end of input');
  return labels;
}
