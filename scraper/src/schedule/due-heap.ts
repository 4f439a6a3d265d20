// Hot: a binary min-heap of things by due time.
//
// Times stand beside each other, apart from what they are of: with thousands of targets, going through objects to compare them would
// be most of the cost. There is no removal: what is gone is noticed when it is due.

export class DueHeap<T> {
  #times = new Float64Array(64);
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** Of the first item; Infinity if there is none. */
  get dueMs(): number {
    return this.#items.length === 0 ? Infinity : this.#times[0]!;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T, dueMs: number): void {
    const at = this.#items.length;
    if (at === this.#times.length) {
      const larger = new Float64Array(2 * at);
      larger.set(this.#times);
      this.#times = larger;
    }
    this.#items.push(item);
    this.#up(at, item, dueMs);
  }

  /** The first item is due at another time from now on. */
  delayFirst(dueMs: number): void {
    this.#down(this.#items[0]!, dueMs);
  }

  removeFirst(): void {
    const last = this.#items.pop()!;
    const { length } = this.#items;
    if (length > 0) this.#down(last, this.#times[length]!);
  }

  /** Takes all out, in any order. */
  clear(): T[] {
    return this.#items.splice(0);
  }

  #up(from: number, item: T, dueMs: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#times[parent]! <= dueMs) break;
      this.#place(at, this.#items[parent]!, this.#times[parent]!);
      at = parent;
    }
    this.#place(at, item, dueMs);
  }

  /** From the root. */
  #down(item: T, dueMs: number): void {
    const times = this.#times;
    const { length } = this.#items;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && times[child + 1]! < times[child]!) child++;
      if (times[child]! >= dueMs) break;
      this.#place(at, this.#items[child]!, times[child]!);
      at = child;
    }
    this.#place(at, item, dueMs);
  }

  #place(at: number, item: T, dueMs: number): void {
    this.#items[at] = item;
    this.#times[at] = dueMs;
  }
}
