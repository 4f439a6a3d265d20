// Hot: quantiles and fractions of classic histograms: cumulative counts by upper bound, interpolated linearly.
//
// Buckets come in the order of their bounds. One BucketSet is filled anew for each histogram and step.

/** Relative difference of neighbouring counts below which it is taken for rounding. */
const TOLERANCE = 1e-12;
const SMALLEST_NORMAL = 2 ** -1022;
/** A count this much above the one before, relatively, has grown without doubt; if it is not tiny. */
const GROWTH = 1e-9;
const TINY = 1e-290;

export class BucketSet {
  readonly bounds: Float64Array;
  readonly counts: Float64Array;
  size = 0;
  /** What the last quantile() had to correct. */
  forced = false;
  minForced = Infinity;
  maxForced = -Infinity;
  maxDiff = 0;

  constructor(capacity: number) {
    this.bounds = new Float64Array(capacity);
    this.counts = new Float64Array(capacity);
  }

  clear(): void {
    this.size = 0;
  }

  /** Adds the next bucket; one of the same bound is joined to the last. */
  push(bound: number, count: number): void {
    if (this.size > 0 && this.bounds[this.size - 1] === bound) {
      this.counts[this.size - 1]! += count;
      return;
    }
    this.bounds[this.size] = bound;
    this.counts[this.size++] = count;
  }

  /** NaN without observations, without a +Inf bucket or with no other than it. */
  quantile(phi: number): number {
    this.forced = false;
    if (Number.isNaN(phi)) return NaN;
    if (phi < 0) return -Infinity;
    if (phi > 1) return Infinity;
    const last = this.size - 1;
    if (this.bounds[last] !== Infinity) return NaN;
    this.makeMonotonic();
    const observations = this.counts[last]!;
    if (this.size < 2 || observations === 0) return NaN;
    const rank = phi * observations;
    const bucket = this.findRank(rank);
    if (bucket === last) return this.bounds[last - 1]!;
    if (bucket === 0 && this.bounds[0]! <= 0) return this.bounds[0]!;
    const below = bucket > 0 ? this.counts[bucket - 1]! : 0;
    const start = bucket > 0 ? this.bounds[bucket - 1]! : 0;
    const share = (rank - below) / (this.counts[bucket]! - below);
    return start + (this.bounds[bucket]! - start) * share;
  }

  /** The first bucket that holds the rank, the last one if no other does; binary, as counts of NaN make it matter. */
  private findRank(rank: number): number {
    let low = 0;
    let high = this.size - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.counts[middle]! >= rank) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Irons out rounding silently, and other decreases with a note of them. */
  private makeMonotonic(): void {
    this.minForced = Infinity;
    this.maxForced = -Infinity;
    this.maxDiff = 0;
    const { counts } = this;
    let before = counts[0]!;
    for (let i = 1; i < this.size; i++) {
      const now = counts[i]!;
      if (now === before) continue;
      if (now - before > GROWTH * now && now > TINY) {
        before = now; // By far the most: no need to look closer.
      } else if (isRounding(before, now)) {
        counts[i] = before;
      } else if (now < before) {
        counts[i] = before;
        this.forced = true;
        this.minForced = Math.min(this.minForced, this.bounds[i]!);
        this.maxForced = Math.max(this.maxForced, this.bounds[i]!);
        if (before - now > this.maxDiff) this.maxDiff = before - now;
      } else {
        before = now;
      }
    }
  }

  /** The share of observations between two values. */
  fraction(lower: number, upper: number): number {
    const last = this.size - 1;
    if (this.bounds[last] !== Infinity) return NaN;
    const total = this.counts[last]!;
    if (total === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return NaN;
    if (lower >= upper) return 0;
    return (this.countBelow(upper, total) - this.countBelow(lower, total)) / total;
  }

  private countBelow(value: number, total: number): number {
    let start = this.bounds[0]! <= 0 ? -Infinity : 0;
    let rank = 0;
    for (let i = 0; i < this.size; i++) {
      const end = this.bounds[i]!;
      const count = this.counts[i]!;
      if (start >= value) return Math.min(rank, total);
      if (end > value) {
        const within =
          start === -Infinity ? count : rank + ((count - rank) * (value - start)) / (end - start);
        return within > total ? total : within;
      }
      rank = count;
      start = end;
    }
    return total;
  }
}

function isRounding(a: number, b: number): boolean {
  if (Number.isNaN(a) && Number.isNaN(b)) return true;
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return difference < TOLERANCE * SMALLEST_NORMAL;
  return difference / Math.min(sum, Number.MAX_VALUE) < TOLERANCE;
}
