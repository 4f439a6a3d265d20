// Bytes into lines, with a bound on how long one may become.

const newline = 0x0a;

export class LineSplitter {
  readonly #bytesMax: number;
  #parts: Uint8Array[] = [];
  #sizeBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The lines that `bytes` completes, without empty ones. Throws RangeError when one is too long. */
  *push(bytes: Uint8Array): Generator<string> {
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      this.#add(bytes.subarray(start, end));
      const line = Buffer.concat(this.#parts).toString('utf8');
      this.#parts = [];
      this.#sizeBytes = 0;
      start = end + 1;
      if (line !== '') yield line;
    }
    this.#add(bytes.subarray(start));
  }

  #add(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#sizeBytes += part.length;
    if (this.#sizeBytes > this.#bytesMax)
      throw new RangeError(`line too long, want at most ${this.#bytesMax} bytes`);
    this.#parts.push(part);
  }
}
