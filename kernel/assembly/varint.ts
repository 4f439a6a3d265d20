// Hot: variable-length integers in whole bytes, as Go's encoding/binary writes them: seven bits a byte, low ones first.
//
// Callers have made room: ten bytes for any u64, five for a u32.

/** Returns where the next byte goes. */
@inline export function putUvarint(at: usize, v: u64): usize {
  let o = at,
    rest = v;
  for (; rest >= 0x80; rest >>= 7) store<u8>(o++, <u8>rest | 0x80);
  store<u8>(o++, <u8>rest);
  return o;
}

/** Small numbers of either sign as small unsigned ones: what a varint holds. */
@inline export function zigzag(v: i64): u64 {
  return <u64>((v << 1) ^ (v >> 63));
}
