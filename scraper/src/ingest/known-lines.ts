// TEMPORARY
export interface KnownSamples {
  readonly count: number;
  readonly refs: Uint32Array;
  readonly values: Float64Array;
  readonly droppedCount: number;
  readonly hasMissing: boolean;
  readonly unknownCount: number;
  readonly unknownStarts: Uint32Array;
  readonly unknownEnds: Uint32Array;
}

export class KnownLines {
  #map = new Map<string, number>();
  #prev = 0;
  #body: Buffer = Buffer.alloc(0);
  scan(body: Buffer): KnownSamples {
    this.#body = body;
    const refs: number[] = [];
    const values: number[] = [];
    const starts: number[] = [];
    const ends: number[] = [];
    let dropped = 0;
    let at = 0;
    while (at < body.length) {
      let end = body.indexOf(10, at);
      if (end === -1) end = body.length;
      const cut = this.#cut(at, end);
      const ref = cut === -1 ? undefined : this.#map.get(body.toString('latin1', at, cut));
      const value = Number(body.toString('latin1', cut, end));
      if (ref === undefined || Number.isNaN(value)) {
        starts.push(at);
        ends.push(end);
      } else if (ref === 0) dropped++;
      else {
        refs.push(ref);
        values.push(value);
      }
      at = end + 1;
    }
    const hasMissing = refs.length < this.#prev;
    this.#prev = refs.length;
    return {
      count: refs.length,
      droppedCount: dropped,
      refs: Uint32Array.from(refs),
      values: Float64Array.from(values),
      hasMissing,
      unknownCount: starts.length,
      unknownStarts: Uint32Array.from(starts),
      unknownEnds: Uint32Array.from(ends),
    };
  }
  learn(start: number, end: number, ref: number): void {
    const cut = this.#cut(start, end);
    if (cut !== -1) this.#map.set(this.#body.toString('latin1', start, cut), ref);
  }
  reset(): void {
    this.#map.clear();
    this.#prev = 0;
  }
  #cut(start: number, end: number): number {
    if (this.#body[start] === 35) return -1;
    const line = this.#body.toString('latin1', start, end);
    const m = /^(.*[} ]) ?[^ ]+$/.exec(line);
    return m === null ? -1 : start + m[1]!.length;
  }
  free(): void {
    this.reset();
  }
}
