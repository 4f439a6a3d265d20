// Hot: a list as the API server sends it, item by item while it comes. Fifty thousand pods are 650 MB of JSON, of which never more
// than one item and a chunk is in memory: what is not kept dies young, and the heap stays as large as what is.
//
//   - Bytes are looked at once; only quotes, escapes and brackets count.
//   - An item is parsed by itself; what is around the items is parsed at the end, with no items in it.
//   - Measured by bench/src/reflector.

const quote = 0x22;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Of the list, its items, an item. */
const listDepth = 1;
const itemsDepth = 2;

const itemBytesMax = 16 << 20;
const outerBytesMax = 1 << 20;
const tailLength = 64;

export class ListDecoder {
  readonly #onItem: (item: unknown) => void;
  readonly #outer = new Parts('what is around the items', outerBytesMax);
  readonly #item = new Parts('item', itemBytesMax);
  /** The end of `outer`. */
  #tail = '';
  #depth = 0;
  #isInItems = false;
  #isInString = false;
  #isEscaped = false;

  constructor(onItem: (item: unknown) => void) {
    this.#onItem = onItem;
  }

  /** Throws what parsing and `onItem` throw, and RangeError for an item that is too large. */
  push(bytes: Uint8Array): void {
    let start = 0;
    for (let at = 0; at < bytes.length; at++) {
      if (this.#isInString) at = this.#skipString(bytes, at);
      const byte = bytes[at];
      if (byte === quote) this.#isInString = !this.#isInString;
      else if (byte === openBrace || byte === openBracket) start = this.#open(bytes, start, at);
      else if (byte === closeBrace || byte === closeBracket) start = this.#close(bytes, start, at);
    }
    if (!this.#isInItems) this.#keepOuter(bytes.subarray(start));
    else if (this.#depth > itemsDepth) this.#item.add(bytes.subarray(start));
  }

  /** What is around the items. Throws when the list has not ended. */
  end(): unknown {
    const text = this.#outer.take();
    if (this.#depth !== 0 || text === '') throw new Error('list: cut short, want all of it');
    return JSON.parse(text);
  }

  /** The place of the quote that ends the string, or the end of the bytes. */
  #skipString(bytes: Uint8Array, from: number): number {
    let isEscaped = this.#isEscaped;
    let at = from;
    for (; at < bytes.length; at++) {
      const byte = bytes[at];
      if (isEscaped) isEscaped = false;
      else if (byte === backslash) isEscaped = true;
      else if (byte === quote) break;
    }
    this.#isEscaped = isEscaped;
    return at;
  }

  /** Returns where what is to be kept begins. */
  #open(bytes: Uint8Array, start: number, at: number): number {
    this.#depth++;
    if (this.#isInItems) return this.#depth === itemsDepth + 1 ? at : start;
    if (this.#depth !== listDepth + 1 || bytes[at] !== openBracket) return start;
    this.#keepOuter(bytes.subarray(start, at + 1));
    this.#isInItems = /"items"\s*:\s*\[$/.test(this.#tail);
    return at + 1;
  }

  #close(bytes: Uint8Array, start: number, at: number): number {
    this.#depth--;
    if (!this.#isInItems) return start;
    if (this.#depth < itemsDepth) {
      this.#isInItems = false;
      return at;
    }
    if (this.#depth > itemsDepth) return start;
    this.#item.add(bytes.subarray(start, at + 1));
    this.#onItem(JSON.parse(this.#item.take()));
    return at + 1;
  }

  #keepOuter(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#outer.add(bytes);
    this.#tail = (this.#tail + Buffer.from(bytes.subarray(-tailLength)).toString('latin1')).slice(
      -tailLength,
    );
  }
}

/** Bytes that came in parts. */
class Parts {
  readonly #what: string;
  readonly #bytesMax: number;
  #parts: Uint8Array[] = [];
  #sizeBytes = 0;

  constructor(what: string, bytesMax: number) {
    this.#what = what;
    this.#bytesMax = bytesMax;
  }

  add(part: Uint8Array): void {
    this.#sizeBytes += part.length;
    if (this.#sizeBytes > this.#bytesMax)
      throw new RangeError(`list: ${this.#what} too large, want at most ${this.#bytesMax} bytes`);
    this.#parts.push(part);
  }

  /** All of it as text; begins anew. */
  take(): string {
    const [only] = this.#parts;
    const whole =
      this.#parts.length === 1 && only !== undefined
        ? Buffer.from(only.buffer, only.byteOffset, only.length)
        : Buffer.concat(this.#parts, this.#sizeBytes);
    this.#parts = [];
    this.#sizeBytes = 0;
    return whole.toString('utf8');
  }
}
