// OpenMetrics 1.0.0 and 0.0.1, line by line. Grammar and error texts are Prometheus's: one blank between the parts of a
// line and nowhere else, timestamps in seconds, no comments but HELP, TYPE, UNIT and EOF.
//
// For lines that the kernel's line cache does not know. Fields are valid until the next call.

import { isUtf8 } from 'node:buffer';
import { formatFloat } from '@flotilla/model';
import { LineCursor, type EntryKind, type Token, unescapeLabel } from './line-cursor.ts';
import { ParseError, quoteBytes } from './parse-error.ts';

const NEWLINE = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const HASH = 0x23;
const BRACE_OPEN = 0x7b;
const punctuation: ReadonlyMap<number, Token> = new Map([
  [0x2c, 'COMMA'],
  [0x3d, 'EQUAL'],
  [0x7d, 'BCLOSE'],
]);
const commentWords = ['HELP ', 'TYPE ', 'UNIT ', 'EOF'] as const;
const types: ReadonlySet<string> = new Set([
  ...['counter', 'gauge', 'histogram', 'summary'],
  ...['info', 'stateset', 'gaugehistogram', 'unknown'],
]);

type Keyword = 'HELP' | 'TYPE' | 'UNIT';

export class OpenMetricsParser extends LineCursor {
  override parse(body: Buffer, start: number, end: number): EntryKind {
    this.open(body, start, end);
    if (this.peek() === HASH) return this.#comment();
    this.isPlain = true;
    this.#series();
    return 'series';
  }

  #comment(): EntryKind {
    const word = this.#commentWord();
    if (word !== 'EOF') return this.#metadata(word);
    if (this.at < this.end) throw new ParseError('unexpected data after # EOF');
    return 'eof';
  }

  /** The word after `# `, and its blank; the cursor stands where no word goes on that way if there is none. */
  #commentWord(): Keyword | 'EOF' {
    this.at++;
    if (this.peek() === SPACE) {
      this.at++;
      const word = commentWords.find((one) => one.charCodeAt(0) === this.peek()) ?? '';
      let length = 0;
      for (; length < word.length && this.peek() === word.charCodeAt(length); length++) this.at++;
      if (word !== '' && length === word.length) return word.trimEnd() as Keyword | 'EOF';
    }
    throw this.unexpected('expected a valid start token', 'INVALID');
  }

  #metadata(keyword: Keyword): EntryKind {
    const isQuoted = this.peek() === QUOTE;
    const token = isQuoted ? this.string('MNAME') : this.name(':', 'MNAME');
    if (token !== 'MNAME') throw this.unexpected(`expected metric name after ${keyword}`, token);
    this.metric = isQuoted ? this.unquoted(this.tokenStart, this.at) : this.latin1(this.tokenStart, this.at);
    if (this.peek() !== SPACE || this.#isCut()) throw new ParseError(`expected text in ${keyword}`);
    const text = this.body.subarray(this.at + 1, this.end);
    if (keyword === 'TYPE') return this.#type(text);
    return keyword === 'HELP' ? this.#help(text) : this.#unit(text);
  }

  #type(text: Buffer): EntryKind {
    this.text = text.toString('latin1');
    if (!types.has(this.text)) throw new ParseError(`invalid metric type ${quoteBytes(text)}`);
    return 'type';
  }

  #help(text: Buffer): EntryKind {
    if (!isUtf8(text)) throw new ParseError(`help text ${quoteBytes(text)} is not a valid utf8 string`);
    this.text = unescapeLabel(text.toString('utf8'));
    return 'help';
  }

  #unit(text: Buffer): EntryKind {
    this.text = text.toString('utf8');
    if (this.text !== '' && !this.metric.endsWith(`_${this.text}`)) {
      throw new ParseError(
        `unit ${quoteBytes(text)} not a suffix of metric ${quoteBytes(Buffer.from(this.metric))}`,
      );
    }
    return 'unit';
  }

  #series(): void {
    if (this.peek() === BRACE_OPEN) {
      this.at++;
      this.#labels(this.pairs, false);
      if (this.metric === '') {
        throw new ParseError(`metric name not set while parsing: ${this.quoted(this.start, this.at)}`);
      }
    } else {
      const token = this.name(':', 'MNAME');
      if (token !== 'MNAME') throw this.unexpected('expected a valid start token', token);
      this.metric = this.latin1(this.tokenStart, this.at);
      if (this.peek() === BRACE_OPEN) {
        this.at++;
        this.#labels(this.pairs, false);
      }
    }
    this.seriesEnd = this.at;
    this.value = this.#number('metric');
    this.#suffix();
  }

  /** Up to the closing brace. A quoted string without `=` is the metric name, but not in an exemplar. */
  #labels(pairs: string[], isExemplar: boolean): void {
    for (let token = this.#labelToken(); token !== 'BCLOSE';) {
      if (token !== 'LNAME' && token !== 'QSTRING') throw this.unexpected('expected label name', token);
      const isQuoted = token === 'QSTRING';
      const [from, to] = [this.tokenStart, this.at];
      const name = isQuoted ? this.unquoted(from, to) : this.latin1(from, to);
      token = this.#labelToken();
      if (isQuoted && (token === 'COMMA' || token === 'BCLOSE')) {
        if (isExemplar) throw this.unexpected('expected label name', token);
        this.#setMetric(name);
        if (token === 'COMMA') token = this.#labelToken();
        continue;
      }
      if (token !== 'EQUAL') throw this.unexpected('expected equal', token);
      const value = this.#labelValue();
      pairs.push(name, value);
      token = this.#nextLabel();
    }
  }

  #setMetric(name: string): void {
    if (this.metric !== '') {
      throw new ParseError(`metric name already set while parsing: ${this.quoted(this.start, this.at)}`);
    }
    this.metric = name;
  }

  #labelValue(): string {
    this.tokenStart = this.at;
    const token = this.peek() === QUOTE ? this.string('LVALUE') : this.invalid();
    if (token !== 'LVALUE') throw this.unexpected('expected label value', token);
    return this.unquoted(this.tokenStart, this.at);
  }

  /** After a value; a comma may stand before the brace. */
  #nextLabel(): Token {
    const token = this.#labelToken();
    if (token === 'COMMA') return this.#labelToken();
    if (token !== 'BCLOSE') throw this.unexpected('expected comma or brace close', token);
    return token;
  }

  #labelToken(): Token {
    this.tokenStart = this.at;
    if (this.peek() === QUOTE) return this.string('QSTRING');
    const kind = punctuation.get(this.peek());
    if (kind === undefined) return this.name('', 'LNAME');
    this.at++;
    return kind;
  }

  /** No newline follows the last line of a body by itself. */
  protected override quoted(from: number, to: number): string {
    return super.quoted(from, this.#isCut() ? Math.min(to, this.end) : to);
  }

  /** A blank and a number. */
  #number(after: string): number {
    if (!this.#word()) throw this.unexpected(`expected value after ${after}`, this.#otherToken());
    return this.float(this.tokenStart + 1, this.at);
  }

  /** A blank and what follows up to the next one. */
  #word(): boolean {
    this.tokenStart = this.at;
    const next = this.at + 1 < this.end ? this.body[this.at + 1]! : NEWLINE;
    if (this.peek() !== SPACE || isWordEnd(next)) return false;
    this.at++;
    while (!isWordEnd(this.peek())) this.at++;
    return true;
  }

  /** Timestamp and exemplar, either of which may be missing. */
  #suffix(): void {
    this.hasTimestamp = false;
    if (!this.#startsWith(' # ')) this.#timestamp();
    if (this.at === this.end) {
      this.#checkEnd();
      return;
    }
    if (!this.#startsWith(' # {')) throw this.#noExemplar();
    this.at += 4;
    this.#exemplar();
    if (this.#isCut()) throw new ParseError('data does not end with # EOF');
  }

  #startsWith(text: string): boolean {
    return this.latin1(this.at, Math.min(this.end, this.at + text.length)) === text;
  }

  #timestamp(): void {
    if (!this.#word()) return;
    const seconds = this.float(this.tokenStart + 1, this.at);
    if (!Number.isFinite(seconds)) throw new ParseError(`invalid timestamp ${formatFloat(seconds)}`);
    this.hasTimestamp = true;
    this.timestampMs = Math.trunc(seconds * 1000);
    if (!Number.isSafeInteger(this.timestampMs))
      throw new ParseError(`timestamp out of range while parsing: ${this.quoted(this.start, this.at)}`);
  }

  /** A sample that no newline ends is none. */
  #checkEnd(): void {
    if (!this.#isCut()) return;
    if (this.hasTimestamp) throw this.unexpected('expected next entry after timestamp', 'EOF');
    throw new ParseError('data does not end with # EOF');
  }

  /** Whether the body ends within this line. */
  #isCut(): boolean {
    return this.end === this.body.length;
  }

  #noExemplar(): ParseError {
    const isHash = this.#startsWith(' # ');
    if (this.hasTimestamp) {
      const token = isHash ? this.invalid() : this.#timestampToken();
      if (isHash) this.at += 3;
      return this.unexpected('expected next entry after timestamp', token);
    }
    // Prometheus's lexer stops where no token goes on, and takes what is there for the next line.
    const at = this.at + (isHash ? 3 : 1);
    const isNewline = at >= this.end && !isHash;
    const shown = quoteBytes(this.body.subarray(at, isNewline ? at + 2 : at + 1));
    return new ParseError(
      `expected a valid start token, got ${shown} ("${isNewline ? 'LINEBREAK' : 'INVALID'}") while parsing: ${shown}`,
    );
  }

  #exemplar(): void {
    const pairs: string[] = [];
    this.#labels(pairs, true);
    const value = this.#number('exemplar labels');
    this.exemplar = { pairs, value, timestampMs: undefined };
    if (this.at === this.end) return;
    if (!this.#word()) throw this.unexpected('expected timestamp or comment', this.#otherToken());
    const seconds = this.float(this.tokenStart + 1, this.at);
    if (!Number.isFinite(seconds)) throw new ParseError(`invalid exemplar timestamp ${formatFloat(seconds)}`);
    this.exemplar = { pairs, value, timestampMs: Math.trunc(seconds * 1000) };
    if (this.at < this.end)
      throw this.unexpected('expected next entry after exemplar timestamp', this.#timestampToken());
  }

  #timestampToken(): Token {
    return this.#word() ? 'TIMESTAMP' : this.#otherToken();
  }

  /** What stands where nothing of it may: a blank is looked past, as Prometheus's lexer does. */
  #otherToken(): Token {
    this.tokenStart = this.at;
    if (this.peek() === SPACE) this.at++;
    return 'INVALID';
  }
}

/** Prometheus's lexer ends at NUL whatever it reads. */
function isWordEnd(byte: number): boolean {
  return byte === SPACE || byte === NEWLINE || byte === 0;
}
