// Hot: what a body in another form says, written down as lines of text, so that the line cache knows them: one hash for a
// series that was there before, whatever format it came in.
//
// A line is `name{labels} value` or `{"odd.name",labels} value`, maybe with a timestamp in ms. The value of a native
// histogram is `h` and its place in a list; ` #` and a number at the end is the place of exemplars in another. Comments say type, help and unit. The writer owns the bytes until finish().

import type { NativeHistogram } from '@flotilla/tsdb';
import type { ExposedExemplar } from './exemplar.ts';
import { ParseError } from './parse-error.ts';

/** A body as lines, and the histograms that they name. */
export interface Transcript {
  /** Until the transcript is recycled. */
  readonly body: Buffer;
  readonly histograms: readonly NativeHistogram[];
  /** Per line that has some. */
  readonly exemplars: readonly (readonly ExposedExemplar[])[];
  /** What ended the body early; what came before it is in the transcript, for the counts. */
  readonly error?: ParseError | undefined;
}

const transcriptBytesMax = 256 << 20;
/** A body grows by what its lines repeat, names and labels; by more than this only if it is made to. */
const growthMax = 64;
const smallBytes = 64 << 10;
const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_N = 0x6e;

/** What transcripts are written to, one after another: as garbage outside of the heap it would have V8 look for more of it. */
let spare = Buffer.alloc(0);
const spareBytesMax = 16 << 20;

/** Nobody reads its body any more. */
export function recycleTranscript({ body }: Transcript): void {
  if (body.buffer.byteLength <= spare.length || body.buffer.byteLength > spareBytesMax) return;
  spare = Buffer.from(body.buffer as ArrayBuffer);
}

/** At least so many bytes, of memory of its own. */
function takeMemory(sizeBytes: number): Buffer {
  if (spare.length < sizeBytes) return Buffer.allocUnsafeSlow(sizeBytes);
  const taken = spare;
  spare = Buffer.alloc(0);
  return taken;
}

export class TranscriptWriter {
  readonly histograms: NativeHistogram[] = [];
  readonly #exemplars: (readonly ExposedExemplar[])[] = [];
  readonly #bytesMax: number;
  #buffer: Buffer;
  #length = 0;

  /** `bodyBytes`: size of what is transcribed. `bytesHint`: room to begin with. */
  constructor(bodyBytes: number, bytesHint = 2 * bodyBytes) {
    this.#bytesMax = Math.min(transcriptBytesMax, growthMax * bodyBytes + smallBytes);
    this.#buffer = takeMemory(Math.min(this.#bytesMax, bytesHint + 4096));
  }

  get length(): number {
    return this.#length;
  }

  /** What is written, until the next call. */
  get view(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  /** ASCII. */
  text(text: string): void {
    this.#reserve(text.length);
    const buffer = this.#buffer;
    let at = this.#length;
    for (let i = 0; i < text.length; i++) buffer[at++] = text.charCodeAt(i);
    this.#length = at;
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    const buffer = this.#buffer;
    let at = this.#length;
    for (let i = 0; i < bytes.length; i++) buffer[at++] = bytes[i]!;
    this.#length = at;
  }

  /** With backslashes before what ends a string or a line. */
  escaped(bytes: Uint8Array): void {
    this.#reserve(2 * bytes.length);
    const buffer = this.#buffer;
    let at = this.#length;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (byte === QUOTE || byte === BACKSLASH || byte === NEWLINE) buffer[at++] = BACKSLASH;
      buffer[at++] = byte === NEWLINE ? LETTER_N : byte;
    }
    this.#length = at;
  }

  /** The number, a timestamp unless it is undefined, exemplars if there are any, and the end of the line. */
  endSample(
    value: number,
    timestampMs: number | undefined,
    exemplars: readonly ExposedExemplar[] = [],
  ): void {
    this.text(floatText(value));
    this.#endLine(timestampMs, exemplars);
  }

  /** As endSample. The histogram belongs to the transcript. */
  endHistogram(
    histogram: NativeHistogram,
    timestampMs: number | undefined,
    exemplars: readonly ExposedExemplar[] = [],
  ): void {
    this.text(`h${this.histograms.length}`);
    this.histograms.push(histogram);
    this.#endLine(timestampMs, exemplars);
  }

  /** With an error, up to the last whole line. */
  finish(error?: ParseError): Transcript {
    const written = this.#buffer.subarray(0, this.#length);
    const body = error === undefined ? written : written.subarray(0, written.lastIndexOf(NEWLINE) + 1);
    return { body, histograms: this.histograms, exemplars: this.#exemplars, error };
  }

  #endLine(timestampMs: number | undefined, exemplars: readonly ExposedExemplar[]): void {
    if (timestampMs !== undefined) this.text(` ${timestampMs}`);
    if (exemplars.length > 0) this.text(` #${this.#exemplars.push(exemplars) - 1}`);
    this.text('\n');
  }

  #reserve(bytes: number): void {
    const want = this.#length + bytes;
    if (want <= this.#buffer.length) return;
    if (want > this.#bytesMax)
      throw new ParseError(`body is more than ${this.#bytesMax} bytes as text, want less`);
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#bytesMax, 2 * want));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

function floatText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}
