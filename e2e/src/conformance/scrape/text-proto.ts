// Metric families in protobuf's text form, as Prometheus's tests have them, to delimited messages.

import { encodeMetricFamily } from '@flotilla/wire';

const types = ['COUNTER', 'GAUGE', 'SUMMARY', 'UNTYPED', 'HISTOGRAM', 'GAUGE_HISTOGRAM'];
const lists = new Set([
  ...['label', 'metric', 'bucket', 'quantile', 'positiveSpan', 'negativeSpan'],
  'exemplars',
]);
const numberLists = new Set(['positiveDelta', 'negativeDelta', 'positiveCount', 'negativeCount']);
const tokenPattern = /\s*(?:#[^\n]*\n\s*)*([A-Za-z_]\w*|"(?:[^"\\]|\\.)*"|-?[\d.][\w.+-]*|-?inf|[:<>{}])/y;

type Message = Record<string, unknown>;

/** Throws SyntaxError. */
export function familyOfText(text: string): Buffer {
  const message = encodeMetricFamily(new TextReader(text).message());
  const length: number[] = [];
  let left = message.length;
  for (; left >= 0x80; left >>>= 7) length.push((left & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...length, left]), message]);
}

class TextReader {
  readonly #tokens: string[] = [];
  #at = 0;

  constructor(text: string) {
    const trimmed = text.trimEnd();
    tokenPattern.lastIndex = 0;
    for (let at = 0; at < trimmed.length; at = tokenPattern.lastIndex) {
      tokenPattern.lastIndex = at;
      const match = tokenPattern.exec(trimmed);
      if (match === null) throw new SyntaxError(`text proto: "${trimmed.slice(at, at + 40)}"`);
      this.#tokens.push(match[1]!);
    }
  }

  /** Up to the end, or the bracket that closes it. */
  message(): Message {
    const message: Message = {};
    while (this.#at < this.#tokens.length && !/^[>}]$/.test(this.#tokens[this.#at]!)) this.#field(message);
    return message;
  }

  #field(message: Message): void {
    const name = this.#tokens[this.#at++]!.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    if (this.#tokens[this.#at] === ':') this.#at++;
    const token = this.#tokens[this.#at++]!;
    const isMessage = token === '<' || token === '{';
    const value = isMessage ? this.message() : scalar(token);
    if (isMessage) this.#at++;
    const isList = isMessage ? lists.has(name) : numberLists.has(name);
    message[name] = isList ? [...((message[name] as unknown[] | undefined) ?? []), value] : value;
  }
}

function scalar(token: string): unknown {
  if (token.startsWith('"')) return Buffer.from(JSON.parse(token) as string);
  if (types.includes(token)) return types.indexOf(token);
  if (/^-?inf$/i.test(token)) return token.startsWith('-') ? -Infinity : Infinity;
  return Number(token);
}
