// Hot: sums of long windows from running sums of the whole series, in time that does not depend on the windows' length.
//
// Running sums are kept to twice the precision of a number. What a window's sum loses by being a difference of two of
// them is less than a 2^-40th of its last bit, unless it is far smaller than the series' sum of magnitudes: then, and
// where anything is not finite, the window has to be walked. A compensated walk is as good, so the bits are the same.

import type { Tile } from './tile.ts';
import type { Windows } from './windows.ts';

/** Windows whose sum is less than this share of all magnitudes are walked. */
const LEAST_SHARE = 2 ** -12;
/** Magnitudes up to here can be added without care for infinity. */
const TAME = 1e300;

/** Running sums, and what they have lost; remade when a series is longer. */
let totals = new Float64Array(0);
let losses = new Float64Array(0);

/** Fills the running sums up to each sample; the sum of all magnitudes. */
function fill(values: Float64Array, count: number): number {
  if (totals.length <= count) {
    totals = new Float64Array(2 * count + 1);
    losses = new Float64Array(2 * count + 1);
  }
  let total = 0;
  let loss = 0;
  let magnitudes = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    const next = total + value;
    const part = next - total;
    loss += total - (next - part) + (value - part);
    total = next;
    magnitudes += Math.abs(value);
    totals[i + 1] = total;
    losses[i + 1] = loss;
  }
  return magnitudes;
}

/** Writes the sum of every window into the cells from `at` on; `walk` gives that of one of which this way knows too little. */
export function prefixSums(
  w: Windows,
  out: Tile,
  at: number,
  walk: (w: Windows, lo: number, hi: number) => number,
): void {
  const { lo, hi, steps } = w;
  const magnitudes = fill(w.values, w.count);
  const least = magnitudes < TAME ? magnitudes * LEAST_SHARE : Infinity;
  for (let step = 0; step < steps; step++) {
    const from = lo[step]!;
    const to = hi[step]!;
    out.valid[at + step] = to > from ? 1 : 0;
    if (to === from) continue;
    const a = totals[to]!;
    const b = totals[from]!;
    const sum = a - b;
    const part = sum - a;
    const lost = a - (sum - part) - (b + part) + (losses[to]! - losses[from]!);
    const result = sum + lost;
    out.values[at + step] = Math.abs(result) >= least ? result : walk(w, from, to);
  }
}
