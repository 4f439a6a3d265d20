// Equal strings once: label names and values, images and phases come a thousand times over.

const stringsMax = 100_000;
const lengthMax = 256;

export class StringPool {
  #strings = new Map<string, string>();

  /** Replaces the strings in a tree of plain objects and arrays, in place; returns the tree. */
  share<T extends object>(tree: T): T {
    for (const [key, value] of Object.entries(tree)) {
      if (typeof value === 'string') (tree as Record<string, unknown>)[key] = this.#one(value);
      else if (isPlain(value)) this.share(value);
    }
    return tree;
  }

  #one(text: string): string {
    if (text.length > lengthMax) return text;
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    // What occurs once fills the pool; what occurs often is soon in it again.
    if (this.#strings.size >= stringsMax) this.#strings = new Map();
    this.#strings.set(text, text);
    return text;
  }
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return false;
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
