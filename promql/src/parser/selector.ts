// Vector selectors and metrics: `name{label="value", …}` and `{"name", …}`.

import { Labels, LabelsBuilder, Matcher, METRIC_NAME, type MatchType } from '@flotilla/model';

import type { VectorSelector } from '../ast.ts';
import { fromByteText } from './byte-text.ts';
import { stringValue } from './literals.ts';
import { isMetricName, tokenRange, type Token } from './token.ts';
import type { Context, TokenStream } from './token-stream.ts';

const MATCHING = 'label matching';
const SET = 'label set';

function expected(where: string, what: string): Context {
  return { where, expected: what };
}

/** Runs `parseItem` for each part of a list in braces, which may end with a comma; returns the end of the list. */
function parseBraces(stream: TokenStream, where: string, parseItem: () => void): number {
  stream.expect('{');
  for (;;) {
    const closing = stream.accept('}');
    if (closing !== undefined) return tokenRange(closing).end;
    parseItem();
    const closed = stream.accept('}');
    if (closed !== undefined) return tokenRange(closed).end;
    stream.expect(',', expected(where, '"," or "}"'));
  }
}

/** Label name in front of an operator, or a metric name in quotes on its own. */
function acceptName(stream: TokenStream, where: string): Token {
  return stream.accept('identifier', 'string') ?? stream.unexpected(expected(where, 'identifier or "}"'));
}

function nameText(token: Token): string {
  return token.type === 'string' ? stringValue(token) : fromByteText(token.text);
}

function matcher(stream: TokenStream, type: MatchType, name: Token, value: Token): Matcher {
  try {
    return new Matcher(type, nameText(name), stringValue(value));
  } catch (error) {
    const pos = { start: name.pos, end: tokenRange(value).end };
    return stream.error((error as Error).message, pos, error);
  }
}

function parseMatcher(stream: TokenStream): Matcher {
  const name = acceptName(stream, MATCHING);
  const operator = stream.accept('=', '!=', '=~', '!~');
  if (operator !== undefined) {
    const value = stream.expect('string', expected(MATCHING, 'string'));
    return matcher(stream, operator.type as MatchType, name, value);
  }
  if (name.type === 'string') return new Matcher('=', METRIC_NAME, nameText(name));
  return stream.unexpected(expected(MATCHING, 'label matching operator'));
}

function parseMatchers(stream: TokenStream): { matchers: Matcher[]; end: number } {
  const matchers: Matcher[] = [];
  const end = parseBraces(stream, MATCHING, () => matchers.push(parseMatcher(stream)));
  return { matchers, end };
}

/** `metric` is the name token in front, taken already, if there is one. */
export function parseSelectorAfter(stream: TokenStream, metric: Token | undefined): VectorSelector {
  const start = metric?.pos ?? stream.peek().pos;
  const hasBraces = metric === undefined || stream.peek().type === '{';
  const braces = hasBraces ? parseMatchers(stream) : { matchers: [], end: tokenRange(metric).end };
  const name = metric === undefined ? '' : nameText(metric);
  const nameMatchers = name === '' ? [] : [new Matcher('=', METRIC_NAME, name)];
  return {
    kind: 'selector',
    name,
    matchers: [...braces.matchers, ...nameMatchers],
    offsetMs: 0,
    anchored: false,
    smoothed: false,
    pos: { start, end: braces.end },
  };
}

/** A selector that begins with the next token. */
export function parseVectorSelector(stream: TokenStream): VectorSelector {
  return parseSelectorAfter(stream, isMetricName(stream.peek().type) ? stream.take() : undefined);
}

function parseLabel(stream: TokenStream, labels: LabelsBuilder): void {
  const name = acceptName(stream, SET);
  if (stream.accept('=') !== undefined) {
    labels.set(nameText(name), stringValue(stream.expect('string', expected(SET, 'string'))));
  } else if (name.type === 'string') {
    labels.set(METRIC_NAME, nameText(name));
  } else {
    stream.unexpected(expected(SET, '"="'));
  }
}

/** A metric as in an exposition: equality only. It may be empty. */
export function parseMetricLabels(stream: TokenStream): Labels {
  const labels = new LabelsBuilder();
  const metric = isMetricName(stream.peek().type) ? stream.take() : undefined;
  if (stream.peek().type === '{') parseBraces(stream, SET, () => parseLabel(stream, labels));
  if (metric !== undefined) labels.set(METRIC_NAME, nameText(metric));
  return labels.labels();
}
