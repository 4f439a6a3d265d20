// Hot: the k best samples of one group at one step, in slots of shared arrays.
//
// The worst kept sample is at the root. Sifting follows the usual binary heap to the letter, so that which of several
// equal samples survives is what users of Prometheus see. NaN is worse than everything.

/** Heaps side by side: heap h owns slots [h * capacity, (h + 1) * capacity). */
export interface Heaps {
  readonly values: Float64Array;
  readonly rows: Uint32Array;
  readonly sizes: Uint32Array;
  /** By heap, of one that is full: its worst value times the sign; NaN if anything may be better. Side by side, as most offers need no more. */
  readonly bars: Float64Array;
  readonly capacity: number;
  /** 1 keeps the largest, -1 the smallest. */
  readonly sign: 1 | -1;
}

function isWorse(heaps: Heaps, a: number, b: number): boolean {
  const value = heaps.values[a]!;
  return Number.isNaN(value) || value * heaps.sign < heaps.values[b]! * heaps.sign;
}

function swap(heaps: Heaps, a: number, b: number): void {
  const value = heaps.values[a]!;
  const row = heaps.rows[a]!;
  heaps.values[a] = heaps.values[b]!;
  heaps.rows[a] = heaps.rows[b]!;
  heaps.values[b] = value;
  heaps.rows[b] = row;
}

function siftUp(heaps: Heaps, base: number, start: number): void {
  for (let child = start; child > 0;) {
    const parent = (child - 1) >> 1;
    if (!isWorse(heaps, base + child, base + parent)) return;
    swap(heaps, base + parent, base + child);
    child = parent;
  }
}

function siftDown(heaps: Heaps, base: number, size: number): void {
  for (let parent = 0; ;) {
    let child = 2 * parent + 1;
    if (child >= size) return;
    if (child + 1 < size && isWorse(heaps, base + child + 1, base + child)) child++;
    if (!isWorse(heaps, base + child, base + parent)) return;
    swap(heaps, base + parent, base + child);
    parent = child;
  }
}

function setBar({ values, bars, capacity, sign }: Heaps, heap: number): void {
  bars[heap] = values[heap * capacity]! * sign;
}

export function makeHeaps(heaps: number, capacity: number, sign: 1 | -1): Heaps {
  return {
    values: new Float64Array(heaps * capacity),
    rows: new Uint32Array(heaps * capacity),
    sizes: new Uint32Array(heaps),
    bars: new Float64Array(heaps).fill(NaN),
    capacity,
    sign,
  };
}

/** Offers a sample to a heap that keeps the `k` best, k at most the capacity. */
export function offer(heaps: Heaps, heap: number, k: number, value: number, row: number): void {
  const base = heap * heaps.capacity;
  const size = heaps.sizes[heap]!;
  if (size < k) {
    heaps.values[base + size] = value;
    heaps.rows[base + size] = row;
    heaps.sizes[heap] = size + 1;
    siftUp(heaps, base, size);
    if (size + 1 === k) setBar(heaps, heap);
    return;
  }
  const worst = heaps.values[base]!;
  const better = value * heaps.sign > worst * heaps.sign || (Number.isNaN(worst) && !Number.isNaN(value));
  if (!better) return;
  heaps.values[base] = value;
  heaps.rows[base] = row;
  siftDown(heaps, base, size);
  setBar(heaps, heap);
}

/** The slots of a heap, best first. */
export function bestFirst(heaps: Heaps, heap: number): number[] {
  const base = heap * heaps.capacity;
  const slots = Array.from({ length: heaps.sizes[heap]! }, (_, i) => base + i);
  return slots.toSorted((a, b) =>
    isWorse(heaps, b, a) ? (isWorse(heaps, a, b) ? 0 : -1) : isWorse(heaps, a, b) ? 1 : 0,
  );
}
