// Hot: what a decoder asks of whole columns of f64, once per series of a query.

/** Whether two columns have the same bits. */
export function equalColumns(a: usize, b: usize, count: u32): bool {
  const end = a + (<usize>count << 3);
  const apart = b - a;
  let at = a;
  for (; at + 16 <= end; at += 16)
    if (v128.any_true(v128.xor(v128.load(at), v128.load(at + apart)))) return false;
  return at == end || load<u64>(at) == load<u64>(at + apart);
}

/** Whether any value is NaN, as stale markers are. */
export function hasNaN(column: usize, count: u32): bool {
  const end = column + (<usize>count << 3);
  let any = i64x2.splat(0);
  let at = column;
  for (; at + 16 <= end; at += 16) {
    const two = v128.load(at);
    any = v128.or(any, f64x2.ne(two, two));
  }
  return v128.any_true(any) || (at != end && isNaN(load<f64>(at)));
}
