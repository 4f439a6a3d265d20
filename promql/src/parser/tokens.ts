// The tokens of a text, for highlighting and for comparing lexers.

import { fromByteText, toByteText } from './byte-text.ts';
import { Lexer } from './lexer.ts';
import { ParseError } from './parse-error.ts';

export interface TokenText {
  /** Byte offset. */
  readonly pos: number;
  readonly text: string;
}

/** The tokens up to the end or the first that is none. Comments are left out. */
export function tokensOf(query: string): TokenText[] {
  const lexer = new Lexer(toByteText(query));
  const found: TokenText[] = [];
  try {
    for (;;) {
      const { type, pos, text } = lexer.next();
      if (type === 'end of input') return found;
      if (type !== 'comment') found.push({ pos, text: fromByteText(text) });
    }
  } catch (error) {
    if (error instanceof ParseError) return found;
    throw error;
  }
}
