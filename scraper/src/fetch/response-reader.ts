// Reads one HTTP/1 response out of the pieces in which it arrives (RFC 9112), as Go's client would.
//
// Hot: push() is called once per read of a socket. What it gives to the sink are views of the caller's bytes, valid for
// that call only. Lines may end in a bare newline; everything else is strict, and what is not understood ends the response
// with an error. Head, trailers and the overhead of chunks are bounded; the sink bounds the body.

import { KnownHead } from './known-head.ts';
import { MalformedResponse } from './malformed-response.ts';
import { parseHead, type ResponseHead } from './response-head.ts';

/** Takes a response. An error that a method throws ends it. */
export interface ResponseSink {
  /** `length` of the body in bytes; NaN where the head does not say. */
  onHead(head: ResponseHead, length: number): void;
  onData(bytes: Buffer): void;
}

const headBytesMax = 64 << 10;
const interimMax = 5;
const chunkLineBytesMax = 4096;
/** What chunks may cost beyond their data: a little each, twice their size, and this in all. */
const chunkOverheadMax = 16 << 10;
/** Each is work, however small it is. */
const chunksMax = 1 << 18;

const LF = 10;
const CR = 13;

type State = 'head' | 'length' | 'close' | 'chunk-line' | 'chunk-data' | 'chunk-end' | 'trailers' | 'done';

export class ResponseReader {
  /** Whether anything was read. */
  hasBegun = false;
  /** Whether the connection can take another request when the response is done. */
  isReusable = true;
  /** What the head may be, and then what it was. */
  knownHead: KnownHead | undefined;
  readonly #sink: ResponseSink;
  #state: State = 'head';
  #left = 0;
  #text = '';
  /** Bytes of the current line, of the head or of trailers; carriage returns apart. */
  #lineLength = 0;
  #interim = 0;
  #overhead = 0;
  #chunks = 0;

  /** `knownHead`: of the response before. */
  constructor(sink: ResponseSink, knownHead?: KnownHead) {
    this.#sink = sink;
    this.knownHead = knownHead;
  }

  get isDone(): boolean {
    return this.#state === 'done';
  }

  /** Reads on. Throws MalformedResponse, and what the sink throws; then nothing more may be pushed. */
  push(bytes: Buffer): void {
    this.hasBegun = true;
    for (let at = 0; at < bytes.length;) {
      if (this.#state === 'done') {
        this.isReusable = false; // Nobody asked for more.
        return;
      }
      at = this.#step(bytes, at);
    }
  }

  /** The peer has closed: true if that ends the response as it should. */
  end(): boolean {
    this.isReusable = false;
    if (this.#state === 'close') this.#state = 'done';
    return this.#state === 'done';
  }

  /** Reads one part of what begins at `at`; returns where the rest begins. */
  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case 'head':
        return this.#head(bytes, at);
      case 'length':
      case 'chunk-data':
        return this.#data(bytes, at);
      case 'close':
        this.#sink.onData(at === 0 ? bytes : bytes.subarray(at));
        return bytes.length;
      case 'chunk-line':
        return this.#chunkLine(bytes, at);
      case 'chunk-end':
        return this.#chunkEnd(bytes, at);
      default:
        return this.#trailers(bytes, at);
    }
  }

  #head(bytes: Buffer, at: number): number {
    const known = this.knownHead;
    const knownEnd = known === undefined || this.#text !== '' ? -1 : known.match(bytes, at);
    if (knownEnd < 0) return this.#newHead(bytes, at);
    this.#begin(known!.head, known!.length);
    return knownEnd;
  }

  #newHead(bytes: Buffer, at: number): number {
    const end = this.#emptyLineEnd(bytes, at);
    this.#text += bytes.toString('latin1', at, end);
    if (this.#text.length > headBytesMax) {
      throw new MalformedResponse(`head of more than ${headBytesMax} bytes`);
    }
    if (this.#lineLength >= 0) {
      mustBeHttp(this.#text);
      return end;
    }
    const text = this.#text;
    this.#text = '';
    this.#lineLength = 0;
    const head = parseHead(text);
    this.knownHead = KnownHead.of(head, text);
    this.#begin(head, typeof head.framing === 'number' ? head.framing : NaN);
    return end;
  }

  /** Where the next empty line ends, or the bytes do; #lineLength is -1 if there is one. Looks no further than a head may reach. */
  #emptyLineEnd(bytes: Buffer, at: number): number {
    const stop = Math.min(bytes.length, at + headBytesMax + 1);
    let length = this.#lineLength;
    for (let i = at; i < stop; i++) {
      const byte = bytes[i]!;
      if (byte === LF) {
        if (length === 0) {
          this.#lineLength = -1;
          return i + 1;
        }
        length = 0;
      } else if (byte !== CR) length++;
    }
    this.#lineLength = length;
    return stop;
  }

  #begin(head: ResponseHead, length: number): void {
    if (head.status < 200) {
      if (head.status === 101) throw new MalformedResponse('unasked switch of protocols');
      if (++this.#interim > interimMax) throw new MalformedResponse('too many 1xx responses');
      return;
    }
    this.isReusable = head.keepsAlive;
    this.#sink.onHead(head, length);
    if (head.framing === 'chunked') this.#state = 'chunk-line';
    else if (head.framing === 'close') this.#state = 'close';
    else this.#expect(length);
  }

  #expect(length: number): void {
    this.#left = length;
    this.#state = length === 0 ? 'done' : 'length';
  }

  #data(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left);
    this.#sink.onData(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    this.#left -= end - at;
    if (this.#left === 0) this.#state = this.#state === 'length' ? 'done' : 'chunk-end';
    return end;
  }

  /** Size, extensions, newline. */
  #chunkLine(bytes: Buffer, at: number): number {
    const newline = bytes.indexOf(LF, at);
    const end = newline < 0 ? bytes.length : newline + 1;
    if (this.#text.length + end - at > chunkLineBytesMax) {
      throw new MalformedResponse(`chunk header of more than ${chunkLineBytesMax} bytes`);
    }
    this.#text += bytes.toString('latin1', at, end);
    if (newline < 0) return end;
    if (++this.#chunks > chunksMax) throw new MalformedResponse(`more than ${chunksMax} chunks`);
    const size = chunkSize(this.#text);
    this.#charge(this.#text.length + 2, size);
    this.#text = '';
    this.#left = size;
    this.#state = size === 0 ? 'trailers' : 'chunk-data';
    return end;
  }

  #charge(lineBytes: number, dataBytes: number): void {
    this.#overhead = Math.max(0, this.#overhead + lineBytes - 16 - 2 * dataBytes);
    if (this.#overhead > chunkOverheadMax) throw new MalformedResponse('chunks with too little data');
  }

  /** The newline behind the data. */
  #chunkEnd(bytes: Buffer, at: number): number {
    const byte = bytes[at]!;
    if (byte === CR && this.#left === 0) this.#left = -1;
    else if (byte === LF) this.#state = 'chunk-line';
    else throw new MalformedResponse('no newline behind a chunk');
    return at + 1;
  }

  #trailers(bytes: Buffer, at: number): number {
    const end = this.#emptyLineEnd(bytes, at);
    this.#left += end - at;
    if (this.#left > headBytesMax) throw new MalformedResponse(`trailers of more than ${headBytesMax} bytes`);
    if (this.#lineLength < 0) this.#state = 'done';
    return end;
  }
}

/** Says so early, since other protocols' servers wait for an answer. */
function mustBeHttp(text: string): void {
  const want = 'HTTP/1.';
  if (want.startsWith(text.slice(0, want.length))) return;
  throw new MalformedResponse(`malformed HTTP response ${JSON.stringify(text.trimEnd().slice(0, 40))}`);
}

function chunkSize(line: string): number {
  const digits = /^([\da-f]{1,12})[\t ]*(?:;[^\r\n]*)?\r?\n$/i.exec(line)?.[1];
  if (digits === undefined) throw new MalformedResponse(`chunk header ${JSON.stringify(line.slice(0, 40))}`);
  return Number.parseInt(digits, 16);
}
