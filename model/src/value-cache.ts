// Remembers a function's answer per label value, for functions that cost more than a lookup.
//
// All caches share one budget, because an operator holds thousands of rules: when it is spent, all start over. Long
// values are answered without being remembered.

const VALUE_CHARS_MAX = 256;
// Characters of values held, and this much more for each entry: some 32 MiB in all.
const ENTRY_COST = 64;
const COST_MAX = 16 * 1024 * 1024;

const filled = new Set<ValueCache<unknown>>();
let cost = 0;

export class ValueCache<T> {
  private readonly answers = new Map<string, T>();
  private readonly answer: (value: string) => T;

  constructor(answer: (value: string) => T) {
    this.answer = answer;
  }

  get size(): number {
    return this.answers.size;
  }

  get(value: string): T {
    if (value.length > VALUE_CHARS_MAX) return this.answer(value);
    const known = this.answers.get(value);
    if (known !== undefined || this.answers.has(value)) return known as T;
    const made = this.answer(value);
    spend(value.length + ENTRY_COST);
    this.answers.set(value, made);
    filled.add(this);
    return made;
  }

  clear(): void {
    this.answers.clear();
  }
}

function spend(more: number): void {
  cost += more;
  if (cost <= COST_MAX) return;
  for (const cache of filled) cache.clear();
  filled.clear();
  cost = more;
}
