// Hot: a binary min-heap of entries by due time, each entry knowing its place, so that removal needs no search.
//
// Invariant: entries[i].heapIndex === i, and no entry is due before its parent.

export interface DueEntry {
  dueMs: number;
  /** -1 while not in a heap. Written by the heap only. */
  heapIndex: number;
}

export class DueHeap<T extends DueEntry> {
  readonly #entries: T[] = [];

  get size(): number {
    return this.#entries.length;
  }

  peek(): T | undefined {
    return this.#entries[0];
  }

  /** Adds an entry, or moves one whose dueMs has changed. */
  put(entry: T): void {
    if (entry.heapIndex === -1) {
      entry.heapIndex = this.#entries.length;
      this.#entries.push(entry);
    }
    this.#up(entry);
    this.#down(entry);
  }

  remove(entry: T): void {
    const at = entry.heapIndex;
    if (at === -1) return;
    entry.heapIndex = -1;
    const last = this.#entries.pop()!;
    if (last === entry) return;
    last.heapIndex = at;
    this.#entries[at] = last;
    this.#up(last);
    this.#down(last);
  }

  /** The entries as they are now: putting and removing meanwhile is safe. */
  [Symbol.iterator](): ArrayIterator<T> {
    return this.#entries.slice().values();
  }

  #up(entry: T): void {
    const entries = this.#entries;
    let at = entry.heapIndex;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (entries[parent]!.dueMs <= entry.dueMs) break;
      this.#place(entries[parent]!, at);
      at = parent;
    }
    this.#place(entry, at);
  }

  #down(entry: T): void {
    const entries = this.#entries;
    let at = entry.heapIndex;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= entries.length) break;
      if (child + 1 < entries.length && entries[child + 1]!.dueMs < entries[child]!.dueMs) child++;
      if (entries[child]!.dueMs >= entry.dueMs) break;
      this.#place(entries[child]!, at);
      at = child;
    }
    this.#place(entry, at);
  }

  #place(entry: T, at: number): void {
    this.#entries[at] = entry;
    entry.heapIndex = at;
  }
}
