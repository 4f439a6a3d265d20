// Hot: rows of native histograms as what they grew since the first of them, once per bucket of each sample that a query keeps.

/** Where a row has its sum. */
const SUM: usize = 16;

/**
 * Writes the first of `count` rows of `stride` f64, the sums of all, and by how much each column of each row is above the first
 * row's, as u16 or, `isWide`, u32 (of sums always 0), to `out`, one behind the other; up to 16 bytes more may be overwritten.
 * False if a difference is no such number; the rows are as they were then, and else without their sums.
 */
export function packRows(rows: usize, count: u32, stride: u32, isWide: bool, out: usize): bool {
  const bytes = <usize>stride << 3;
  memory.copy(out, rows, bytes);
  const sums = out + bytes;
  const end = rows + <usize>count * bytes;
  let to = sums;
  for (let row = rows; row < end; row += bytes, to += 8) {
    store<u64>(to, load<u64>(row, SUM));
    store<u64>(row, 0, SUM);
  }
  if (isWide ? packDeltas<u32>(rows, end, bytes, to) : packDeltas<u16>(rows, end, bytes, to)) return true;
  for (let row = rows, from = sums; row < end; row += bytes, from += 8) store<u64>(row, load<u64>(from), SUM);
  return false;
}

function packDeltas<T>(rows: usize, end: usize, bytes: usize, out: usize): bool {
  const most: f64 = sizeof<T>() == 2 ? 65535 : 4294967295;
  const mosts = f64x2.splat(most);
  let o = out;
  for (let row = rows; row < end; row += bytes) {
    let bad = i64x2.splat(0);
    let column: usize = 0;
    for (; column + 32 <= bytes; column += 32) {
      const first = v128.load(rows + column), second = v128.load(rows + column, 16);
      const firstNow = v128.load(row + column), secondNow = v128.load(row + column, 16);
      const a = f64x2.sub(firstNow, first), b = f64x2.sub(secondNow, second);
      const whole = i32x4.trunc_sat_f64x2_u_zero(a), other = i32x4.trunc_sat_f64x2_u_zero(b);
      // Of a NaN all comparisons but these are false.
      bad = v128.or(bad, v128.or(f64x2.ne(f64x2.convert_low_i32x4_u(whole), a), f64x2.ne(f64x2.add(first, a), firstNow)));
      bad = v128.or(bad, v128.or(f64x2.ne(f64x2.convert_low_i32x4_u(other), b), f64x2.ne(f64x2.add(second, b), secondNow)));
      const four = v128.shuffle<i32>(whole, other, 0, 1, 4, 5);
      if (sizeof<T>() == 2) {
        bad = v128.or(bad, v128.or(f64x2.gt(a, mosts), f64x2.gt(b, mosts)));
        v128.store64_lane(o, i16x8.narrow_i32x4_u(four, four), 0);
      } else v128.store(o, four);
      o += 4 * sizeof<T>();
    }
    if (v128.any_true(bad)) return false;
    for (; column < bytes; column += 8, o += sizeof<T>()) {
      const first = load<f64>(rows + column), now = load<f64>(row + column);
      const growth = now - first;
      if (!(growth >= 0 && growth <= most && floor(growth) == growth && first + growth == now)) return false;
      store<T>(o, <T>(<u32>growth));
    }
  }
  return true;
}
