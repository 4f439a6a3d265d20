// Hot: rate, increase and delta over the windows of one series, once per row of a query.
//
// What extrapolation knows of windows without their values lies in a table, which all series with the same times share. Every value
// is computed in the order of Prometheus's extrapolatedRate, so that it has the same bits.

// A table has seven columns for an even number of windows: u32 of where the first and the last sample lie, in bytes behind
// the series' first, then f64.
const FIRSTS: usize = 0;
const LASTS: usize = 4;
const SAMPLED: usize = 8;
const TO_START: usize = 16;
const TO_END: usize = 24;
/** The factor of a window that does not reach zero. */
const FAR: usize = 32;
/** Of all columns together, for each window. */
export const WINDOW_BYTES: usize = 40;

/** Whether any of the samples is below the one before. */
export function hasReset(values: usize, count: u32): bool {
  const end = values + (<usize>count << 3);
  let below = i32x4.splat(0);
  let p = values + 8;
  for (; p + 16 <= end; p += 16) below = v128.or(below, f64x2.lt(v128.load(p), v128.load(p - 8)));
  if (v128.any_true(below)) return true;
  return p < end && load<f64>(p) < load<f64>(p - 8);
}

@inline function pairAt(values: usize, offsets: u64): v128 {
  const a = <usize>(offsets & 0xffffffff), b = <usize>(offsets >> 32);
  if (b == a + 8) return v128.load(values + a);
  return v128.load64_lane(values + b, v128.load64_zero(values + a), 1);
}

/** Writes a value for each of `windows`, an even number, to `out`. `unit`: seconds that a rate is over, 1 for none. */
export function windowRates(
  table: usize,
  windows: u32,
  values: usize,
  unit: f64,
  isCounter: bool,
  out: usize,
): void {
  const n = <usize>windows;
  const zero = f64x2.splat(0), units = f64x2.splat(unit);
  for (let i: usize = 0; i < n; i += 2) {
    const first = pairAt(values, load<u64>(table + FIRSTS * n + (i << 2)));
    const last = pairAt(values, load<u64>(table + LASTS * n + (i << 2)));
    const change = f64x2.sub(last, first);
    let factor = v128.load(table + FAR * n + (i << 3));
    if (isCounter) {
      // A counter starts at zero: do not extrapolate below that.
      const sampled = v128.load(table + SAMPLED * n + (i << 3));
      const toZero = f64x2.mul(sampled, f64x2.div(first, change));
      const grows = v128.and(f64x2.ge(first, zero), f64x2.gt(change, zero));
      const isShort = f64x2.lt(toZero, v128.load(table + TO_START * n + (i << 3)));
      const isNear = v128.and(v128.and(grows, isShort), f64x2.ne(sampled, zero));
      if (v128.any_true(isNear)) {
        const reach = f64x2.add(f64x2.add(sampled, toZero), v128.load(table + TO_END * n + (i << 3)));
        const near = f64x2.div(f64x2.div(reach, sampled), units);
        factor = v128.bitselect(near, factor, isNear);
      }
    }
    v128.store(out + (i << 3), f64x2.mul(change, factor));
  }
}
