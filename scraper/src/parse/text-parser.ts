// The text exposition formats 0.0.4 and 1.0.0, line by line, and our own transcripts of other formats. Grammar and error
// texts are Prometheus's; the one difference is that a quoted string ends on its line.
//
// This is the path for lines that the kernel's line cache does not know: new series, comments, explicit timestamps.
// A parser is reused for all lines of a body; its result fields are valid until the next call.

import { isUtf8 } from 'node:buffer';
import { isDigit, LineCursor, type EntryKind, type Token, unescapeLabel } from './line-cursor.ts';
import { ParseError, quoteBytes } from './parse-error.ts';

/** `transcript`: text with all types, units and histograms. */
export type TextFormat = 'text' | 'transcript';

const TAB = 0x09;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const HASH = 0x23;
const COMMA = 0x2c;
const EQUAL = 0x3d;
const MINUS = 0x2d;
const LETTER_H = 0x68;
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;

const textTypes = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];
const TYPES: Readonly<Record<TextFormat, ReadonlySet<string>>> = {
  text: new Set(textTypes),
  transcript: new Set([...textTypes, 'info', 'stateset', 'gaugehistogram', 'unknown']),
};

export class TextParser extends LineCursor {
  readonly format: TextFormat;
  #isHistogram = false;

  constructor(format: TextFormat) {
    super();
    this.format = format;
  }

  override parse(body: Buffer, start: number, end: number): EntryKind {
    this.open(body, start, end);
    this.#skipBlanks();
    const first = this.peek();
    if (first === NEWLINE) return 'blank';
    if (first === HASH) return this.#comment();
    this.isPlain = this.at === start;
    this.#series(first);
    return this.#isHistogram ? 'histogram' : 'series';
  }

  #comment(): EntryKind {
    const line = this.body.toString('latin1', this.at, Math.min(this.end, this.at + 64));
    const keyword = /^#[ \t]+(HELP|TYPE|UNIT)[ \t]+/.exec(line);
    if (keyword === null || (keyword[1] === 'UNIT' && this.format === 'text')) return 'comment';
    this.at += keyword[0].length;
    return this.#metadata(keyword[1] as 'HELP' | 'TYPE' | 'UNIT');
  }

  #metadata(keyword: 'HELP' | 'TYPE' | 'UNIT'): EntryKind {
    const isQuoted = this.peek() === QUOTE;
    const token = isQuoted ? this.string('MNAME') : this.name(':', 'MNAME');
    if (token !== 'MNAME') throw this.unexpected(`expected metric name after ${keyword}`, token);
    this.metric = isQuoted ? this.unquoted(this.tokenStart, this.at) : this.latin1(this.tokenStart, this.at);
    if (this.peek() === 0) {
      // Prometheus's lexer takes no text then, and begins an entry here.
      this.start = this.at;
      throw this.unexpected('expected a valid start token', this.invalid());
    }
    const text = this.body.subarray(Math.min(this.at + 1, this.end), this.end);
    if (keyword === 'TYPE') return this.#type(text);
    if (!isUtf8(text)) throw new ParseError(`help text ${quoteBytes(text)} is not a valid utf8 string`);
    const unescape = this.format === 'text' ? unescapeHelp : unescapeLabel;
    this.text = unescape(text.toString('utf8'));
    return keyword === 'HELP' ? 'help' : 'unit';
  }

  #type(text: Buffer): EntryKind {
    const type = text.toString('latin1');
    if (!TYPES[this.format].has(type)) throw new ParseError(`invalid metric type ${quoteBytes(text)}`);
    this.text = type === 'untyped' ? 'unknown' : type;
    return 'type';
  }

  #series(first: number): void {
    if (first === BRACE_OPEN) {
      this.tokenStart = this.at++;
      this.#labels();
      if (this.metric === '') {
        throw new ParseError(`metric name not set while parsing: ${this.quoted(this.start, this.at)}`);
      }
    } else {
      const token = this.name(':', 'MNAME');
      if (token !== 'MNAME') throw this.unexpected('expected a valid start token', token);
      this.metric = this.latin1(this.tokenStart, this.at);
      this.#openBrace();
    }
    this.#sampleValue();
    this.#suffix();
  }

  /** Labels and closing brace. A quoted string without `=` is the metric name. */
  #labels(): void {
    let token = this.#labelToken();
    while (token !== 'BCLOSE') {
      if (token !== 'LNAME' && token !== 'QSTRING') throw this.unexpected('expected label name', token);
      const name =
        token === 'QSTRING' ? this.unquoted(this.tokenStart, this.at) : this.latin1(this.tokenStart, this.at);
      const isQuoted = token === 'QSTRING';
      token = this.#labelToken();
      if (isQuoted && (token === 'COMMA' || token === 'BCLOSE')) {
        this.#setQuotedMetric(name);
        if (token === 'COMMA') token = this.#labelToken();
        continue;
      }
      if (token !== 'EQUAL') throw this.unexpected('expected equal', token);
      this.pairs.push(name, this.#labelValue());
      token = this.#labelToken();
      if (token === 'COMMA') token = this.#labelToken();
    }
  }

  #setQuotedMetric(name: string): void {
    if (this.metric !== '') {
      throw new ParseError(`metric name already set while parsing: ${this.quoted(this.start, this.at)}`);
    }
    this.metric = name;
  }

  #labelValue(): string {
    this.#skipBlanks();
    const token = this.peek() === QUOTE ? this.string('LVALUE') : this.invalid();
    if (token !== 'LVALUE') throw this.unexpected('expected label value', token);
    return this.unquoted(this.tokenStart, this.at);
  }

  /** Labels after a name; blanks before them are allowed. */
  #openBrace(): void {
    const nameEnd = this.at;
    this.#skipBlanks();
    if (this.peek() !== BRACE_OPEN) {
      this.at = nameEnd;
      return;
    }
    this.isPlain &&= this.at === nameEnd;
    this.at++;
    this.#labels();
  }

  #sampleValue(): void {
    this.seriesEnd = this.at;
    this.#skipBlanks();
    const from = this.at;
    this.isPlain &&= from === this.seriesEnd + 1 && this.body[this.seriesEnd] === SPACE;
    const first = this.peek();
    if (isValueEnd(first)) {
      throw this.unexpected(
        'expected value after metric',
        first === BRACE_OPEN ? this.#labelToken() : this.invalid(),
      );
    }
    while (!isValueEnd(this.peek())) this.at++;
    this.tokenStart = from;
    this.#isHistogram = this.format === 'transcript' && first === LETTER_H;
    this.value = this.float(this.#isHistogram ? from + 1 : from, this.at);
  }

  /** The optional timestamp. */
  #suffix(): void {
    this.#skipBlanks();
    this.hasTimestamp = false;
    if (this.peek() === NEWLINE || this.#exemplars()) return;
    if (this.#digits() !== 'TIMESTAMP') {
      throw this.unexpected('expected timestamp or new record', this.#otherToken());
    }
    this.hasTimestamp = true;
    this.timestampMs = this.#timestamp(this.tokenStart, this.at);
    this.#skipBlanks();
    if (this.peek() !== NEWLINE && !this.#exemplars()) {
      throw this.unexpected('expected next entry after timestamp', this.#otherToken());
    }
  }

  /** Whether exemplars follow, which our transcripts have at the end of a line. */
  #exemplars(): boolean {
    if (this.format === 'text' || this.peek() !== HASH) return false;
    this.exemplarsAt = Number(this.latin1(this.at + 1, this.end));
    return true;
  }

  #timestamp(from: number, to: number): number {
    const text = this.latin1(from, to);
    const timestampMs = Number(text);
    if (Number.isSafeInteger(timestampMs)) return timestampMs;
    throw new ParseError(
      `strconv.ParseInt: parsing "${text.slice(0, 64)}": value out of range while parsing: ${this.quoted(this.start, to)}`,
    );
  }

  #labelToken(): Token {
    this.#skipBlanks();
    const byte = this.peek();
    this.tokenStart = this.at;
    if (byte === QUOTE) return this.string('QSTRING');
    const kind = punctuation(byte);
    if (kind === undefined) return this.name('', 'LNAME');
    this.at++;
    return kind;
  }

  #digits(): Token {
    this.tokenStart = this.at;
    if (this.format === 'transcript' && this.peek() === MINUS) this.at++;
    while (isDigit(this.peek())) this.at++;
    return this.at > this.tokenStart ? 'TIMESTAMP' : 'INVALID';
  }

  /** What stands where only a timestamp or the end may. */
  #otherToken(): Token {
    const token = this.#digits();
    return token === 'INVALID' ? this.invalid() : token;
  }

  #skipBlanks(): void {
    while (this.at < this.end && (this.body[this.at] === SPACE || this.body[this.at] === TAB)) {
      this.at++;
    }
  }
}

function punctuation(byte: number): Token | undefined {
  switch (byte) {
    case BRACE_OPEN:
      return 'BOPEN';
    case BRACE_CLOSE:
      return 'BCLOSE';
    case COMMA:
      return 'COMMA';
    case EQUAL:
      return 'EQUAL';
    default:
      return undefined;
  }
}

/** Prometheus's lexer ends at NUL whatever it reads. */
function isValueEnd(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === NEWLINE || byte === BRACE_OPEN || byte === 0;
}

function unescapeHelp(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\([\\n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}
