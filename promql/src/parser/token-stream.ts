// The tokens of one query with one token of lookahead, and the ways to complain about them.
//
// A token is read only when the grammar needs to see it: an error in what was read so far comes before one in what follows.

import type { PositionRange } from '../ast.ts';
import { toByteText } from './byte-text.ts';
import { Lexer } from './lexer.ts';
import { NESTING_MAX, QUERY_BYTES_MAX } from './limits.ts';
import { resolveOptions, type ParserOptions } from './options.ts';
import { ParseError } from './parse-error.ts';
import { describeToken, tokenRange, type Token, type TokenType } from './token.ts';

const CLOSING: ReadonlySet<TokenType> = new Set<TokenType>(['}', ')', ']', 'duration', 'number']);

/** The part of the grammar that a syntax error is reported in, and what could have stood there. */
export interface Context {
  readonly where: string;
  readonly expected: string;
}

export class TokenStream {
  readonly options: Required<ParserOptions>;
  /** The query as byte text, which positions are offsets in. */
  readonly bytes: string;
  /** End of the last token read that may close an expression; the lookahead counts. */
  lastClosing = 0;
  readonly #query: string;
  readonly #lexer: Lexer;
  #ahead: Token | undefined;
  #context: Context = { where: '', expected: '' };
  #nesting = 0;

  /** Throws ParseError for a query that is too long. */
  constructor(query: string, options: ParserOptions) {
    this.options = resolveOptions(options);
    this.bytes = toByteText(query);
    this.#query = query;
    this.#lexer = new Lexer(this.bytes);
    const { length } = this.bytes;
    if (length > QUERY_BYTES_MAX) {
      this.error(`query of ${length} bytes, want at most ${QUERY_BYTES_MAX}`, { start: 0, end: length });
    }
  }

  peek(): Token {
    if (this.#ahead === undefined) {
      this.#ahead = this.#lexer.next();
      if (CLOSING.has(this.#ahead.type)) this.lastClosing = tokenRange(this.#ahead).end;
    }
    return this.#ahead;
  }

  take(): Token {
    const token = this.peek();
    this.#ahead = undefined;
    return token;
  }

  accept(...types: readonly TokenType[]): Token | undefined {
    return types.includes(this.peek().type) ? this.take() : undefined;
  }

  /** Takes a token of the type; any other is unexpected in `context`, by default the current one. */
  expect(type: TokenType, context?: Context): Token {
    return this.accept(type) ?? this.unexpected(context);
  }

  /** Runs `parse` with `context` for its syntax errors. */
  within<T>(context: Context, parse: () => T): T {
    const outer = this.#context;
    this.#context = context;
    const result = parse();
    this.#context = outer;
    return result;
  }

  /** Begins a level of nesting, for `leave` to end. An error ends them all. */
  enter(): void {
    this.#nesting++;
    if (this.#nesting > NESTING_MAX) this.tooDeep(NESTING_MAX, tokenRange(this.peek()));
  }

  leave(): void {
    this.#nesting--;
  }

  tooDeep(levelsMax: number, range: PositionRange): never {
    return this.error(`query nested too deeply, want at most ${levelsMax} levels`, range);
  }

  error(reason: string, range: PositionRange, cause?: unknown): never {
    throw new ParseError(reason, range, this.#query, cause === undefined ? undefined : { cause });
  }

  /** Complains about the lookahead. */
  unexpected({ where, expected }: Context = this.#context): never {
    const token = this.peek();
    const place = where === '' ? '' : ` in ${where}`;
    const wish = expected === '' ? '' : `, expected ${expected}`;
    return this.error(`unexpected ${describeToken(token)}${place}${wish}`, tokenRange(token));
  }
}
