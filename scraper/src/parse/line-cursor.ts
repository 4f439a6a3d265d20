// What the parsers of one line have in common: a cursor over its bytes, names, strings, numbers, and errors in Prometheus's
// words.

import { isUtf8 } from 'node:buffer';
import { parseGoFloat } from '@flotilla/model';
import type { ExposedExemplar } from './exemplar.ts';
import { ParseError, quoteBytes } from './parse-error.ts';
import { shortText } from './short-texts.ts';

export type EntryKind = 'blank' | 'comment' | 'type' | 'help' | 'unit' | 'eof' | 'series' | 'histogram';

export type Token =
  | 'INVALID'
  | 'EOF'
  | 'LINEBREAK'
  | 'MNAME'
  | 'QSTRING'
  | 'BOPEN'
  | 'BCLOSE'
  | 'LNAME'
  | 'LVALUE'
  | 'COMMA'
  | 'EQUAL'
  | 'VALUE'
  | 'TIMESTAMP';

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

export abstract class LineCursor {
  /** Metric name of a series, or the family of a type, help or unit line. */
  metric = '';
  /** Labels of a series as written: name, value, name, value … without the metric name; empty values included. */
  readonly pairs: string[] = [];
  /** Where the name and labels of a series end in the body. */
  seriesEnd = 0;
  /** Of a histogram: its place in the transcript's list. */
  value = 0;
  hasTimestamp = false;
  timestampMs = 0;
  /** Of a series in OpenMetrics. */
  exemplar: ExposedExemplar | undefined;
  /** Of a series or histogram in a transcript: place of its exemplars in the list; −1 if it has none. */
  exemplarsAt = -1;
  /** Whether a series line is written as nearly all are: no blanks but one, before the value. */
  isPlain = false;
  /** Type (`untyped` is `unknown`), help or unit. */
  text = '';

  protected body: Buffer = Buffer.alloc(0);
  protected start = 0;
  protected end = 0;
  protected at = 0;
  protected tokenStart = 0;

  /** Parses the line body[start, end), which holds no line feed. Throws ParseError. */
  abstract parse(body: Buffer, start: number, end: number): EntryKind;

  protected open(body: Buffer, start: number, end: number): void {
    this.body = body;
    this.start = start;
    this.end = end;
    this.at = start;
    this.tokenStart = start;
    this.metric = '';
    this.pairs.length = 0;
    this.exemplar = undefined;
    this.exemplarsAt = -1;
  }

  protected float(from: number, to: number): number {
    const text = this.latin1(from, to);
    const value = /[pP_]/.test(text) ? undefined : parseGoFloat(text);
    if (value !== undefined) return value;
    throw new ParseError(`${floatReason(text)} while parsing: ${this.quoted(this.start, to)}`);
  }

  /** A legacy name: letters, digits, `_`, and `extra`. */
  protected name(extra: '' | ':', kind: Token): Token {
    this.tokenStart = this.at;
    const colon = extra === ':';
    if (!isNameStart(this.peek(), colon)) return this.invalid();
    this.at++;
    while (isNameStart(this.peek(), colon) || isDigit(this.peek())) this.at++;
    return kind;
  }

  /** From quote to quote; a backslash takes the next byte with it. */
  protected string(kind: Token): Token {
    this.tokenStart = this.at;
    const body = this.body;
    for (let at = this.at + 1; at < this.end; at++) {
      if (body[at] === BACKSLASH) at++;
      else if (body[at] === QUOTE) {
        this.at = at + 1;
        return kind;
      }
    }
    this.at = this.end;
    return 'INVALID';
  }

  protected invalid(): Token {
    this.tokenStart = this.at;
    return 'INVALID';
  }

  /** The byte at the cursor; a line feed at the end of the line. */
  protected peek(): number {
    return this.at < this.end ? this.body[this.at]! : NEWLINE;
  }

  protected latin1(from: number, to: number): string {
    return shortText(this.body, from, to) ?? this.body.toString('latin1', from, to);
  }

  /** Text of the quoted string body[from, to). */
  protected unquoted(from: number, to: number): string {
    const short = shortText(this.body, from + 1, to - 1);
    if (short !== undefined) return unescapeLabel(short);
    const bytes = this.body.subarray(from + 1, to - 1);
    if (!isUtf8(bytes)) {
      throw new ParseError(`invalid UTF-8 label value: ${quoteBytes(this.body.subarray(from, to))}`);
    }
    return unescapeLabel(bytes.toString('utf8'));
  }

  protected unexpected(expected: string, got: Token): ParseError {
    const shownEnd = this.at + 1;
    const token = this.quoted(this.tokenStart, shownEnd);
    return new ParseError(
      `${expected}, got ${token} ("${got}") while parsing: ${this.quoted(this.start, shownEnd)}`,
    );
  }

  protected quoted(from: number, to: number): string {
    const bytes = this.body.subarray(from, Math.min(to, this.end));
    return quoteBytes(to > this.end ? Buffer.concat([bytes, Buffer.from('\n')]) : bytes);
  }
}

export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isNameStart(byte: number, colon: boolean): boolean {
  const lower = byte | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || byte === 0x5f || (colon && byte === 0x3a);
}

function floatReason(text: string): string {
  if (/[pP_]/.test(text)) return 'unsupported character in float';
  const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
  const shown = quoteBytes(Buffer.from(text, 'latin1'));
  return `strconv.ParseFloat: parsing ${shown}: ${isNumber ? 'value out of range' : 'invalid syntax'}`;
}

export function unescapeLabel(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\(["\\n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}
