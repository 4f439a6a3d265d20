// Reads OpenMetrics text with a timestamp on every sample, line by line, for `tsdb create-blocks-from openmetrics`.

import { isValidUtf8Name, Labels, METRIC_NAME, parseGoFloat } from '@flotilla/model';

export interface TextSample {
  readonly labels: Labels;
  readonly timeMs: number;
  readonly value: number;
}

const STOP = /[{} \t]/;

/** One line; undefined for comments. Throws Error with what is wrong. */
export function parseSampleLine(line: string): TextSample | undefined {
  if (line === '' || line.startsWith('#')) return undefined;
  const cursor = new Cursor(line);
  const pairs: [string, string][] = [];
  const name = cursor.until(STOP);
  if (name !== '') pairs.push([METRIC_NAME, name]);
  if (cursor.take('{')) readLabels(cursor, pairs);
  if (!pairs.some(([label]) => label === METRIC_NAME)) throw new Error('no metric name');
  const [value, time] = cursor
    .rest()
    .split('#', 1)[0]!
    .trim()
    .split(/[ \t]+/);
  return { labels: Labels.fromPairs(pairs), timeMs: timeOf(time), value: valueOf(value) };
}

function readLabels(cursor: Cursor, pairs: [string, string][]): void {
  while (!cursor.take('}')) {
    const name = cursor.peek() === '"' ? cursor.quoted() : cursor.until(/[=,}]/).trim();
    if (cursor.take('=')) pairs.push([checkedName(name), cursor.quoted()]);
    else pairs.push([METRIC_NAME, name]); // {"metric.name", …}
    if (!cursor.take(',') && cursor.peek() !== '}') throw new Error('want , or } after a label');
    cursor.spaces();
  }
}

function checkedName(name: string): string {
  if (name === '' || !isValidUtf8Name(name)) throw new Error(`label name ${JSON.stringify(name)}`);
  return name;
}

function valueOf(text: string | undefined): number {
  const value = text === undefined ? undefined : parseGoFloat(text);
  if (value === undefined) throw new Error(`value ${JSON.stringify(text ?? '')}`);
  return value;
}

/** Seconds in the text. */
function timeOf(text: string | undefined): number {
  if (text === undefined) throw new Error('expected timestamp for series got none');
  const seconds = parseGoFloat(text);
  if (seconds === undefined || !Number.isSafeInteger(Math.trunc(seconds * 1000)))
    throw new Error(`timestamp ${JSON.stringify(text)}`);
  return Math.trunc(seconds * 1000);
}

class Cursor {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  peek(): string | undefined {
    return this.text[this.at];
  }

  take(char: string): boolean {
    if (this.peek() !== char) return false;
    this.at++;
    return true;
  }

  spaces(): void {
    while (this.peek() === ' ' || this.peek() === '\t') this.at++;
  }

  until(stop: RegExp): string {
    const from = this.at;
    while (this.at < this.text.length && !stop.test(this.text[this.at]!)) this.at++;
    return this.text.slice(from, this.at);
  }

  rest(): string {
    return this.text.slice(this.at);
  }

  quoted(): string {
    if (!this.take('"')) throw new Error('want a quoted string');
    let out = '';
    while (!this.take('"')) {
      const char = this.peek();
      if (char === undefined) throw new Error('a string without end');
      this.at++;
      out += char === '\\' ? this.escaped() : char;
    }
    return out;
  }

  private escaped(): string {
    const char = this.peek() ?? '';
    this.at++;
    return char === 'n' ? '\n' : char;
  }
}
