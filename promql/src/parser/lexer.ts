// Cuts byte text into tokens.
//
// The language has three modes: plain, inside braces (words are never keywords), and at the start of brackets (a duration
// expression). Where the modes meet, the behaviour and the error texts are those of Prometheus's lexer.

import type { PositionRange } from '../ast.ts';
import { fromByteText, goQuoteBytes, goQuoteChar } from './byte-text.ts';
import { Cursor } from './cursor.ts';
import { ParseError } from './parse-error.ts';
import { isAlpha, isDigit, scanNumber, scanRestOfDuration } from './scan-number.ts';
import { scanString } from './scan-string.ts';
import { DURATION_WORDS, KEYWORDS, type Token, type TokenType } from './token.ts';

const SPACE = ' \t\n\r';
const COMMENT = /#[^\r\n]*/y;
const LABEL_WORD = /[a-zA-Z0-9_]*/y;
const METRIC_WORD = /[a-zA-Z0-9_:]*/y;
const DURATION_WORD = /[a-zA-Z_]*/y;
const OPENING_PAREN_NEXT = /[ \t\n\r]*\(/y;

const PLAIN_SYMBOL = /[=!<>]=|<\/|>\/|[=<>,*/%+\-^@]/y;
const BRACE_SYMBOL = /[=!]~|!=|[=,]/y;
const DURATION_SYMBOL = /[+\-*/%^,]/y;

export class Lexer {
  readonly #cursor: Cursor;
  #start = 0;
  #parenDepth = 0;
  #braceOpen = false;
  #bracketOpen = false;
  #colonSeen = false;
  #durationSeen = false;
  #inDuration = false;

  constructor(bytes: string) {
    this.#cursor = new Cursor(bytes);
  }

  /** The next token that is not a comment. After the end it is the end again. Throws ParseError. */
  next(): Token {
    for (;;) {
      this.#cursor.acceptRun(SPACE);
      // A comment is none at the start of brackets: there it is refused below.
      if (this.#inDuration || this.#cursor.peek() !== '#') break;
      this.#cursor.acceptMatch(COMMENT);
    }
    this.#start = this.#cursor.pos;
    if (this.#inDuration) return this.#durationToken();
    return this.#braceOpen ? this.#braceToken() : this.#plainToken();
  }

  #emit(type: TokenType): Token {
    const pos = this.#start;
    this.#start = this.#cursor.pos;
    return { type, pos, text: this.#cursor.text.slice(pos, this.#cursor.pos) };
  }

  #fail(reason: string): never {
    const { text } = this.#cursor;
    const pos: PositionRange = { start: this.#start, end: text.length };
    throw new ParseError(reason, pos, fromByteText(text));
  }

  #symbol(sticky: RegExp): Token | undefined {
    const symbol = this.#cursor.acceptMatch(sticky);
    return symbol === '' ? undefined : this.#emit(symbol as TokenType);
  }

  #plainToken(): Token {
    const cursor = this.#cursor;
    if (cursor.atEnd) return this.#end();
    if (cursor.acceptText('=~')) this.#fail(`unexpected character after '=': '~'`);
    const symbol = this.#symbol(PLAIN_SYMBOL);
    if (symbol !== undefined) return symbol;
    const char = cursor.peek();
    if (isDigit(char) || (char === '.' && isDigit(cursor.text[cursor.pos + 1] ?? ''))) return this.#number();
    if (`"'\``.includes(char)) return this.#string();
    if (isAlpha(char) || char === ':') return this.#bracketOpen ? this.#bracketWord() : this.#word();
    return this.#bracket();
  }

  #end(): Token {
    if (this.#parenDepth !== 0) this.#fail('unclosed left parenthesis');
    if (this.#bracketOpen) this.#fail('unclosed left bracket');
    return this.#emit('end of input');
  }

  #bracket(): Token {
    const char = this.#cursor.takeChar();
    if (char === '(' || char === ')') return this.#paren(char);
    if (char === '{') {
      this.#braceOpen = true;
      return this.#emit(char);
    }
    if (char === '[') return this.#openBracket();
    if (char === ']') {
      if (!this.#bracketOpen) this.#fail(`unexpected right bracket ']'`);
      this.#bracketOpen = false;
      return this.#emit(char);
    }
    if (char === '!') {
      this.#fail(`unexpected character after '!': ${goQuoteChar(this.#cursor.takeChar())}`);
    }
    return this.#fail(`unexpected character: ${goQuoteChar(char)}`);
  }

  #paren(char: '(' | ')'): Token {
    const token = this.#emit(char);
    this.#parenDepth += char === '(' ? 1 : -1;
    if (this.#parenDepth < 0) this.#fail(`unexpected right parenthesis ')'`);
    return token;
  }

  #openBracket(): Token {
    if (this.#bracketOpen) this.#fail(`unexpected left bracket '['`);
    this.#bracketOpen = true;
    this.#inDuration = true;
    this.#colonSeen = false;
    return this.#emit('[');
  }

  #word(): Token {
    const word = this.#cursor.acceptMatch(METRIC_WORD);
    const keyword = KEYWORDS.get(word.toLowerCase());
    if (keyword === undefined) return this.#emit(word.includes(':') ? 'metric identifier' : 'identifier');
    // The fill words came late: they are names unless they look like a call.
    if (keyword.startsWith('fill') && !this.#openingParenIsNext()) return this.#emit('identifier');
    return this.#emit(keyword);
  }

  #openingParenIsNext(): boolean {
    OPENING_PAREN_NEXT.lastIndex = this.#cursor.pos;
    return OPENING_PAREN_NEXT.test(this.#cursor.text);
  }

  /** Between brackets after the first number, where a colon or a word of duration expressions may stand. */
  #bracketWord(): Token {
    const char = this.#cursor.peek();
    if (char === ':') {
      this.#cursor.pos++;
      if (this.#colonSeen) this.#fail(`unexpected colon ':'`);
      this.#colonSeen = true;
      return this.#emit(':');
    }
    return this.#durationWord() ?? this.#fail(`unexpected character: ${goQuoteChar(char)}, expected ':'`);
  }

  #durationWord(): Token | undefined {
    const word = this.#cursor.acceptMatch(DURATION_WORD).toLowerCase();
    return DURATION_WORDS.has(word) ? this.#emit(word as TokenType) : undefined;
  }

  #number(): Token {
    if (scanNumber(this.#cursor)) return this.#emit('number');
    if (scanRestOfDuration(this.#cursor)) return this.#emit('duration');
    const scanned = this.#cursor.text.slice(this.#start, this.#cursor.pos);
    return this.#fail(`bad number or duration syntax: ${goQuoteBytes(scanned)}`);
  }

  #string(): Token {
    const problem = scanString(this.#cursor);
    return problem === undefined ? this.#emit('string') : this.#fail(problem);
  }

  #braceToken(): Token {
    const cursor = this.#cursor;
    if (cursor.atEnd) this.#fail('unexpected end of input inside braces');
    const symbol = this.#symbol(BRACE_SYMBOL);
    if (symbol !== undefined) return symbol;
    if (isAlpha(cursor.peek())) {
      cursor.acceptMatch(LABEL_WORD);
      return this.#emit('identifier');
    }
    if (cursor.is(`"'\``)) return this.#string();
    const char = cursor.takeChar();
    if (char === '}') {
      this.#braceOpen = false;
      return this.#emit(char);
    }
    if (char === '{') this.#fail(`unexpected left brace '{'`);
    if (char === '!') {
      this.#fail(`unexpected character after '!' inside braces: ${goQuoteChar(cursor.takeChar())}`);
    }
    return this.#fail(`unexpected character inside braces: ${goQuoteChar(char)}`);
  }

  /** From the opening bracket to the first number, colon or closing bracket. */
  #durationToken(): Token {
    const cursor = this.#cursor;
    if (cursor.atEnd) this.#fail('unexpected end of input in duration expression');
    const symbol = this.#symbol(DURATION_SYMBOL);
    if (symbol !== undefined) return symbol;
    const char = cursor.peek();
    if (isDigit(char) || (char === '.' && isDigit(cursor.text[cursor.pos + 1] ?? ''))) {
      this.#durationSeen = true;
      this.#inDuration = false;
      return this.#number();
    }
    if (isAlpha(char)) {
      const word = this.#durationWord();
      if (word !== undefined) return word;
    }
    if (char === ':') return this.#durationColon();
    return this.#durationBracket();
  }

  #durationColon(): Token {
    this.#cursor.pos++;
    const token = this.#emit(':');
    if (!this.#durationSeen) this.#fail('unexpected colon before duration in duration expression');
    if (this.#colonSeen) this.#fail('unexpected repeated colon in duration expression');
    this.#colonSeen = true;
    return token;
  }

  #durationBracket(): Token {
    this.#cursor.pos = this.#start;
    const char = this.#cursor.takeChar();
    if (char === '(' || char === ')') return this.#paren(char);
    if (char !== ']') this.#fail(`unexpected character in duration expression: ${goQuoteChar(char)}`);
    this.#bracketOpen = false;
    this.#colonSeen = false;
    this.#inDuration = false;
    return this.#emit(char);
  }
}

/** True for a character that separates tokens. */
export function isSpace(char: string): boolean {
  return char !== '' && SPACE.includes(char);
}
