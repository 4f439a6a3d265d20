// The table of Schubfach: the top 128 bits of 10^k, k = −292..324, rounded up, as (high, low) little-endian u64.

const POWER_MIN = -292;
const POWER_MAX = 324;
const WORD = 1n << 64n;

export function powersOfTen(): Uint8Array {
  const words = new BigUint64Array(2 * (POWER_MAX - POWER_MIN + 1));
  for (let k = POWER_MIN; k <= POWER_MAX; k++) {
    const power = k < 0 ? inverse(5n ** BigInt(-k)) : normalised(5n ** BigInt(k));
    words[2 * (k - POWER_MIN)] = power / WORD;
    words[2 * (k - POWER_MIN) + 1] = power % WORD;
  }
  return new Uint8Array(words.buffer);
}

function bitLength(n: bigint): bigint {
  const hex = n.toString(16);
  return BigInt(4 * (hex.length - 1) + parseInt(hex[0]!, 16).toString(2).length);
}

function normalised(n: bigint): bigint {
  const bits = bitLength(n);
  return bits > 128n ? -(-n >> (bits - 128n)) : n << (128n - bits);
}

/** No inverse is a power of two, so there is always something to round up. */
function inverse(n: bigint): bigint {
  return (1n << (bitLength(n) + 127n)) / n + 1n;
}
