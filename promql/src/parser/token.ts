// The tokens of PromQL. A type is the token's own text where that is fixed (`by`, `+`), which is also how it is shown in errors.
//
// Token text is byte text (see byte-text.ts), so `pos + text.length` is its end in bytes.

import type { AggregateOp, BinaryOp, PositionRange } from '../ast.ts';
import { goQuoteBytes } from './byte-text.ts';

export type ModifierWord =
  | 'bool'
  | 'by'
  | 'group_left'
  | 'group_right'
  | 'fill'
  | 'fill_left'
  | 'fill_right'
  | 'ignoring'
  | 'offset'
  | 'smoothed'
  | 'anchored'
  | 'on'
  | 'without';

/** Words that are names of functions too, and are told apart by what follows. */
export type WindowWord = 'start' | 'end' | 'step' | 'range' | 'max_of' | 'min_of';

export type TokenType =
  | 'end of input'
  | 'comment'
  | 'identifier'
  | 'metric identifier'
  | 'string'
  | 'number'
  | 'duration'
  | '('
  | ')'
  | '{'
  | '}'
  | '['
  | ']'
  | ','
  | '='
  | '=~'
  | '!~'
  | ':'
  | '@'
  | BinaryOp
  | AggregateOp
  | ModifierWord
  | WindowWord;

export interface Token {
  readonly type: TokenType;
  /** Byte offset of the first byte. */
  readonly pos: number;
  /** As written, in byte text. */
  readonly text: string;
}

function words(text: string): readonly string[] {
  return text.split(' ');
}

const WORD_OPERATORS = words('and or unless atan2');
const AGGREGATORS = words(
  'avg bottomk count count_values group max min quantile stddev stdvar sum topk limitk limit_ratio',
);
const MODIFIERS = words(
  'bool by group_left group_right fill fill_left fill_right ignoring offset smoothed anchored on without',
);
const WINDOW_WORDS = words('start end step range max_of min_of');

const OPERATOR_SET: ReadonlySet<string> = new Set([
  ...words('+ - * / % ^ == != < <= > >= </ >/ =~ !~ @'),
  ...WORD_OPERATORS,
]);
const AGGREGATOR_SET: ReadonlySet<string> = new Set(AGGREGATORS);
const MODIFIER_SET: ReadonlySet<string> = new Set(MODIFIERS);
const WITH_VALUE: ReadonlySet<string> = new Set([
  'string',
  'number',
  'duration',
  'identifier',
  'metric identifier',
]);

/** Lower-case words that are not plain identifiers. */
export const KEYWORDS: ReadonlyMap<string, TokenType> = new Map<string, TokenType>([
  ...[...WORD_OPERATORS, ...AGGREGATORS, ...MODIFIERS, ...WINDOW_WORDS].map(
    (word) => [word, word as TokenType] as const,
  ),
  ['inf', 'number'],
  ['nan', 'number'],
]);

/** Words that only a duration expression gives a meaning inside brackets. */
export const DURATION_WORDS: ReadonlySet<string> = new Set(words('step range max_of min_of'));

const NOT_METRIC_NAMES: ReadonlySet<string> = new Set(words('bool group_left group_right ignoring on atan2'));
const NOT_LABEL_NAMES: ReadonlySet<string> = new Set(['without']);
const EXPRESSION_STARTS: ReadonlySet<string> = new Set(words('( { + - number duration string'));

function isWord(type: TokenType): boolean {
  return (
    type === 'identifier' ||
    type === 'metric identifier' ||
    (KEYWORDS.has(type) && KEYWORDS.get(type) === type)
  );
}

/** True if the token may be a metric name in front of braces. */
export function isMetricName(type: TokenType): boolean {
  return isWord(type) && !NOT_METRIC_NAMES.has(type);
}

/** True if an expression may begin with the token. */
export function startsExpression(type: TokenType): boolean {
  return EXPRESSION_STARTS.has(type) || isMetricName(type);
}

/** True if the token may be an unquoted label name in `by (…)`, `on (…)` and the like. */
export function isGroupingLabel(type: TokenType): boolean {
  return isWord(type) && !NOT_LABEL_NAMES.has(type);
}

export function isAggregator(type: TokenType): type is AggregateOp {
  return AGGREGATOR_SET.has(type);
}

export function tokenRange(token: Token): PositionRange {
  return { start: token.pos, end: token.pos + token.text.length };
}

function quoteShortened(text: string): string {
  return text.length > 10 ? `${goQuoteBytes(text, 10)}...` : goQuoteBytes(text);
}

function showToken({ type, text }: Token): string {
  if (type === 'end of input') return 'EOF';
  if (type === 'identifier' || type === 'metric identifier') return goQuoteBytes(text);
  if (MODIFIER_SET.has(type)) return `<${text}>`;
  if (OPERATOR_SET.has(type)) return `<op:${text}>`;
  if (AGGREGATOR_SET.has(type)) return `<aggr:${text}>`;
  return quoteShortened(text);
}

/** The token as errors name it: `identifier "up"`, `<op:*>`, `end of input`. */
export function describeToken(token: Token): string {
  if (token.type === 'end of input') return token.type;
  return WITH_VALUE.has(token.type) ? `${token.type} ${showToken(token)}` : showToken(token);
}
