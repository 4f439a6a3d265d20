// Queries and selectors as they come with a request, and what is wrong with them in Prometheus's words.

import { ApiError } from '@flotilla/chassis/thread';
import type { Matcher } from '@flotilla/model';
import { parseExpr, parseSelector, valueType } from '@flotilla/promql';
import type { Expr, ParserOptions } from '@flotilla/promql';

const matcherSetsMax = 200;

export interface ParsedQuery {
  readonly text: string;
  readonly expr: Expr;
}

/** Errors name the parameter when `named`. */
export function parseQuery(text: string, options: ParserOptions, named = true): ParsedQuery {
  try {
    return { text, expr: parseExpr(text, options) };
  } catch (cause) {
    throw badParameter('query', (cause as Error).message, named, cause);
  }
}

/** A query that gives something at each step. */
export function parseRangeQuery(text: string, options: ParserOptions): ParsedQuery {
  const query = parseQuery(text, options);
  const type = valueType(query.expr);
  if (type === 'scalar' || type === 'vector') return query;
  const name = type === 'matrix' ? 'range vector' : type;
  throw invalid(
    'query',
    `invalid expression type "${name}" for range query, must be Scalar or instant Vector`,
  );
}

/** Each set is one alternative. */
export function parseMatcherSets(texts: readonly string[], named: boolean): (readonly Matcher[])[] {
  if (texts.length > matcherSetsMax)
    throw invalid('match[]', `${texts.length} selectors, want at most ${matcherSetsMax}`);
  const sets = texts.map((text) => {
    try {
      return parseSelector(text);
    } catch (cause) {
      throw badParameter('match[]', (cause as Error).message, named, cause);
    }
  });
  if (sets.some((matchers) => matchers.every(({ matchesEmpty }) => matchesEmpty)))
    throw badParameter('match[]', 'match[] must contain at least one non-empty matcher', named);
  return sets;
}

function badParameter(name: string, reason: string, named: boolean, cause?: unknown): ApiError {
  return named ? invalid(name, reason, cause) : new ApiError('bad_data', reason, 400, { cause });
}

export function invalid(name: string, reason: string, cause?: unknown): ApiError {
  return new ApiError('bad_data', `invalid parameter "${name}": ${reason}`, 400, { cause });
}
