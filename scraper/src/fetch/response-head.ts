// The head of an HTTP/1 response: its status, its headers, and where its body ends.

import { MalformedResponse } from './malformed-response.ts';

/** By name in lower case. */
export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface ResponseHead {
  readonly status: number;
  readonly statusText: string;
  readonly headers: ResponseHeaders;
  /** Bytes of the body, or what tells where it ends. */
  readonly framing: number | 'chunked' | 'close';
  readonly keepsAlive: boolean;
}

type Header = readonly [name: string, value: string];

const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
const headerLine = /^([!#$%&'*+.^_`|~\w-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*?)[\t ]*$/;

/** The first value of a header; '' if there is none. */
export function headerOf(headers: ResponseHeaders, name: string): string {
  const value = headers[name] ?? '';
  return typeof value === 'string' ? value : (value[0] ?? '');
}

/** `text` is all of it, the empty line too, a character a byte. Throws MalformedResponse. */
export function parseHead(text: string): ResponseHead {
  const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  const [, minor, digits, statusText = ''] = statusLine.exec(lines[0]!) ?? [];
  if (digits === undefined) throw new MalformedResponse(`malformed HTTP response ${shown(lines[0]!)}`);
  const all = lines.slice(1, -2).map(parseHeader);
  if (lines.at(-2) !== '') throw new MalformedResponse('malformed end of the head');
  const status = Number(digits);
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of all) headers[name] ??= value;
  const valuesOf = (wanted: string): string[] =>
    all.filter(([name]) => name === wanted).map(([, value]) => value);
  const isChunked = readTransferEncoding(valuesOf('transfer-encoding'), minor === '1');
  const length = readContentLength(valuesOf('content-length'));
  const hasNoBody = status < 200 || status === 204 || status === 304;
  const framing = hasNoBody ? 0 : isChunked ? 'chunked' : (length ?? 'close');
  const connection = valuesOf('connection')
    .join(',')
    .toLowerCase()
    .split(/[\t ]*,[\t ]*/);
  const keepsAlive =
    (minor === '1' ? !connection.includes('close') : connection.includes('keep-alive')) &&
    framing !== 'close' &&
    !(isChunked && length !== undefined); // One of the two lies.
  return { status, statusText, headers, framing, keepsAlive };
}

/** Targets say the same few lines each time, but for the date. */
const known = new Map<string, Header>();
const knownMax = 256;
const knownLengthMax = 256;

function parseHeader(line: string): Header {
  const before = known.get(line);
  if (before !== undefined) return before;
  const match = headerLine.exec(line);
  if (match === null) throw new MalformedResponse(`malformed header ${shown(line)}`);
  const header: Header = [match[1]!.toLowerCase(), match[2]!];
  if (known.size >= knownMax) known.clear();
  if (line.length <= knownLengthMax) known.set(line, header);
  return header;
}

function readTransferEncoding(values: readonly string[], isKnown: boolean): boolean {
  if (values.length === 0 || !isKnown) return false; // HTTP/1.0 has none.
  if (values.length === 1 && values[0]!.toLowerCase() === 'chunked') return true;
  throw new MalformedResponse(`unsupported transfer encoding ${shown(values.join(', '))}`);
}

function readContentLength(values: readonly string[]): number | undefined {
  const [first] = values;
  if (first === undefined) return undefined;
  if (!/^\d{1,15}$/.test(first) || values.some((value) => value !== first)) {
    throw new MalformedResponse(`bad Content-Length ${shown(values.join(', '))}`);
  }
  return Number(first);
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
