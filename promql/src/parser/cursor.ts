// A place in byte text that moves forward. Sets of characters are strings; the end of the text is in none of them.

import { charLength, fromByteText } from './byte-text.ts';

export class Cursor {
  readonly text: string;
  pos = 0;

  constructor(text: string) {
    this.text = text;
  }

  get atEnd(): boolean {
    return this.pos >= this.text.length;
  }

  /** The byte at the place, '' at the end. */
  peek(): string {
    return this.text[this.pos] ?? '';
  }

  is(set: string): boolean {
    return !this.atEnd && set.includes(this.peek());
  }

  accept(set: string): boolean {
    const taken = this.is(set);
    if (taken) this.pos++;
    return taken;
  }

  acceptRun(set: string): void {
    while (this.is(set)) this.pos++;
  }

  acceptText(text: string): boolean {
    const taken = this.text.startsWith(text, this.pos);
    if (taken) this.pos += text.length;
    return taken;
  }

  /** Moves to the end of what the sticky expression matches here, and returns it. */
  acceptMatch(sticky: RegExp): string {
    sticky.lastIndex = this.pos;
    const found = sticky.exec(this.text)?.[0] ?? '';
    this.pos += found.length;
    return found;
  }

  /** Takes one whole character, decoded; '' at the end. */
  takeChar(): string {
    if (this.atEnd) return '';
    const end = this.pos + charLength(this.text, this.pos);
    const char = fromByteText(this.text.slice(this.pos, end));
    this.pos = end;
    return char;
  }
}
