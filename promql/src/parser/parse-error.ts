// What the parser throws.

import type { PositionRange } from '../ast.ts';
import { toByteText } from './byte-text.ts';

function positionIn(bytes: string, offset: number): { line: number; column: number } {
  const before = bytes.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

/**
 * A query that is not PromQL, or does not fit together.
 *
 * `message` is `line:column: parse error: reason`, both counted from 1, columns in bytes: the text that Prometheus's API shows.
 */
export class ParseError extends Error {
  override readonly name = 'ParseError';
  readonly pos: PositionRange;
  readonly line: number;
  readonly column: number;
  readonly query: string;
  /** The message without its position. */
  readonly reason: string;

  constructor(reason: string, pos: PositionRange, query: string, options?: ErrorOptions) {
    const { line, column } = positionIn(toByteText(query), pos.start);
    const where = query === '' ? 'unknown position' : `${line}:${column}`;
    super(`${where}: parse error: ${reason}`, options);
    this.pos = pos;
    this.line = line;
    this.column = column;
    this.query = query;
    this.reason = reason;
  }
}
