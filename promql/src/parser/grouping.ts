// Lists of label names: `by (…)`, `on (…)`, `group_left (…)` and the like.

import { fromByteText, goQuoteBytes, isUtf8Text } from './byte-text.ts';
import { unquote } from './scan-string.ts';
import { isGroupingLabel, tokenRange } from './token.ts';
import type { TokenStream } from './token-stream.ts';

const WHERE = 'grouping opts';

function groupingLabel(stream: TokenStream): string {
  const { type } = stream.peek();
  if (type !== 'string' && !isGroupingLabel(type)) {
    stream.unexpected({ where: WHERE, expected: 'label' });
  }
  const token = stream.take();
  const name = type === 'string' ? unquote(token.text) : token.text;
  if (name === '' || !isUtf8Text(name)) {
    stream.error(`invalid label name for grouping: ${goQuoteBytes(name)}`, tokenRange(token));
  }
  return fromByteText(name);
}

/** A list in parentheses, which may end with a comma or be empty. */
export function parseGrouping(stream: TokenStream): string[] {
  const labels: string[] = [];
  stream.expect('(', { where: WHERE, expected: '"("' });
  while (stream.accept(')') === undefined) {
    labels.push(groupingLabel(stream));
    if (stream.accept(')') !== undefined) break;
    stream.expect(',', { where: WHERE, expected: '"," or ")"' });
  }
  return labels;
}
