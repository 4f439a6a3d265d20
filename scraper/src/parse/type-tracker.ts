// The type that was last announced before a line of a body. Looked for only when a new line needs it: the TYPE lines
// themselves are known lines, which nobody parses again.
//
// Cost: one pass over the comments of a body, however many lines ask.

import type { LineCursor } from './line-cursor.ts';
import { type LineFormat, lineParser } from './line-formats.ts';

const NEWLINE = 0x0a;
const HASH = 0x23;

export class TypeTracker {
  readonly #body: Buffer;
  readonly #parser: LineCursor;
  #at = 0;
  /** The next hash sign at or after #at; beyond the body if there is none. */
  #hash: number | undefined;
  #type = '';

  constructor(body: Buffer, format: LineFormat) {
    this.#body = body;
    this.#parser = lineParser(format);
  }

  /** Type in force at `lineStart`, '' if none. Ask in ascending order. */
  typeAt(lineStart: number): string {
    for (;;) {
      const at = (this.#hash ??= this.#nextHash());
      if (at >= lineStart) return this.#type;
      this.#hash = undefined;
      if (this.#isFirst(at)) this.#comment(at);
      else this.#at = at + 1;
    }
  }

  #nextHash(): number {
    const at = this.#body.indexOf(HASH, this.#at);
    return at === -1 ? Infinity : at;
  }

  #comment(at: number): void {
    const newline = this.#body.indexOf(NEWLINE, at);
    const end = newline === -1 ? this.#body.length : newline;
    if (this.#parser.parse(this.#body, at, end) === 'type') this.#type = this.#parser.text;
    this.#at = end;
  }

  /** Whether only blanks stand before it on its line. */
  #isFirst(at: number): boolean {
    let before = at - 1;
    while (before >= 0 && (this.#body[before] === 0x20 || this.#body[before] === 0x09)) before--;
    return before < 0 || this.#body[before] === NEWLINE;
  }
}
