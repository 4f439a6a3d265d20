// Hot: windows [lo, hi) over a column of f64, entered once for all series with the same times.
//
// A table is a head, a column of lo and one of hi, both u32. The columns are as long as a multiple of eight: the last
// window is repeated, so that windows can be computed in groups, as are results.

const STEPS: usize = 0;
const PADDED: usize = 4;
/** Samples of all windows together, u64. */
const TOTAL: usize = 8;
/** Which floors of binary logarithms lengths have, a bit each. */
const LEVELS: usize = 16;
export const WINDOWS_HEAD: usize = 32;
export const WINDOWS_GROUP: u32 = 8;
/** What no column reaches. */
const WRONG: u32 = u32.MAX_VALUE;

/** The largest hi of `steps` windows whose columns have been written, or the largest u32 if some lo is above its hi. */
export function enterWindows(table: usize, steps: u32): u32 {
  const padded = (steps + WINDOWS_GROUP - 1) & ~(WINDOWS_GROUP - 1);
  const lo = table + WINDOWS_HEAD, hi = lo + (<usize>padded << 2);
  let highest: u32 = 0, levels: u32 = 0, total: u64 = 0;
  for (let i: usize = 0; i < <usize>steps; i++) {
    const from = load<u32>(lo + (i << 2)), to = load<u32>(hi + (i << 2));
    if (from > to) return WRONG;
    highest = max(highest, to);
    total += <u64>(to - from);
    if (to > from) levels |= 1 << (31 - clz<u32>(to - from));
  }
  const last = (<usize>steps - 1) << 2;
  for (let i = <usize>steps << 2; i < <usize>padded << 2; i += 4) {
    store<u32>(lo + i, load<u32>(lo + last));
    store<u32>(hi + i, load<u32>(hi + last));
  }
  store<u32>(table + STEPS, steps);
  store<u32>(table + PADDED, padded);
  store<u64>(table + TOTAL, total);
  store<u32>(table + LEVELS, levels);
  return highest;
}

@inline export function stepsOf(table: usize): usize {
  return <usize>load<u32>(table + STEPS);
}

@inline export function paddedOf(table: usize): usize {
  return <usize>load<u32>(table + PADDED);
}

@inline export function totalOf(table: usize): u64 {
  return load<u64>(table + TOTAL);
}

@inline export function levelsOf(table: usize): u32 {
  return load<u32>(table + LEVELS);
}

@inline export function loOf(table: usize): usize {
  return table + WINDOWS_HEAD;
}

@inline export function hiOf(table: usize): usize {
  return table + WINDOWS_HEAD + (paddedOf(table) << 2);
}

/** The address of a window's bound, `bound` being that of its index. */
@inline export function sampleAt(values: usize, bound: usize): usize {
  return values + (<usize>load<u32>(bound) << 3);
}

@inline export function pairOf(a: usize, b: usize): v128 {
  return v128.load64_lane(b, v128.load64_zero(a), 1);
}

/** The least of the lengths of eight windows. */
@inline export function leastLength(lo: usize, hi: usize): u32 {
  const a = i32x4.sub(v128.load(hi), v128.load(lo));
  const b = i32x4.sub(v128.load(hi, 16), v128.load(lo, 16));
  const four = i32x4.min_u(a, b);
  const two = i32x4.min_u(four, v128.shuffle<i32>(four, four, 2, 3, 0, 1));
  return min(<u32>i32x4.extract_lane(two, 0), <u32>i32x4.extract_lane(two, 1));
}
