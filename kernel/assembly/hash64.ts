// Hot: a seeded 64-bit hash of a line's series text, once per scraped line. Four lanes of 8 bytes.
//
// Not cryptographic. The seed is secret per process; a target that finds a collision harms only its own series.

const K0: u64 = 0x9e3779b97f4a7c15;
const K1: u64 = 0xc2b2ae3d27d4eb4f;
const K2: u64 = 0x165667b19e3779f9;
const K3: u64 = 0x27d4eb2f165667c5;

let seed0: u64 = K1;
let seed1: u64 = K2;

export function seedHash(low: u32, high: u32): void {
  seed0 = K1 ^ (((<u64>high) << 32) | low);
  seed1 = (K2 ^ seed0) * K0;
}

/** Reads exactly [p, p + n). */
@inline export function hash64(p: usize, n: usize): u64 {
  let h0 = seed0 ^ <u64>n,
    h1 = seed1,
    h2 = K3 ^ seed0,
    h3 = K0 ^ seed1;
  const end = p + n;
  if (n >= 32) {
    for (let last = end - 32; p <= last; p += 32) {
      h0 = rotl((h0 ^ load<u64>(p)) * K0, 29);
      h1 = rotl((h1 ^ load<u64>(p, 8)) * K1, 29);
      h2 = rotl((h2 ^ load<u64>(p, 16)) * K0, 31);
      h3 = rotl((h3 ^ load<u64>(p, 24)) * K1, 31);
    }
    p = end - 32;
    h0 = rotl((h0 ^ load<u64>(p)) * K2, 29);
    h1 = rotl((h1 ^ load<u64>(p, 8)) * K3, 29);
    h2 = rotl((h2 ^ load<u64>(p, 16)) * K2, 31);
    h3 = rotl((h3 ^ load<u64>(p, 24)) * K3, 31);
  } else {
    for (; p + 8 <= end; p += 8) {
      h0 = rotl((h0 ^ load<u64>(p)) * K0, 29);
      h1 ^= h0 * K3;
    }
    let tail: u64 = 0;
    for (; p < end; p++) tail = (tail << 8) | load<u8>(p);
    h2 = rotl((h2 ^ tail) * K1, 31);
  }
  let h = ((h0 ^ rotl(h1, 17)) * K2) ^ ((h2 ^ rotl(h3, 23)) * K1);
  h ^= h >> 32;
  h *= K0;
  return h ^ (h >> 29);
}
