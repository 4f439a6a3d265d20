// The table of Eisel and Lemire: the top 128 bits of 5^q, q = −342..308, as (high, low) little-endian u64.
// Positive powers are truncated; negative ones are rounded up, so that a product never falls short.

const POWER_MIN = -342;
const POWER_MAX = 308;
const WORD = 1n << 64n;

let table: Uint8Array | undefined;

export function powersOfFive(): Uint8Array {
  table ??= buildTable();
  return table;
}

function buildTable(): Uint8Array {
  const words = new BigUint64Array(2 * (POWER_MAX - POWER_MIN + 1));
  for (let q = POWER_MIN; q <= POWER_MAX; q++) {
    const power = q < 0 ? inverse(5n ** BigInt(-q), q) : normalised(5n ** BigInt(q));
    words[2 * (q - POWER_MIN)] = power / WORD;
    words[2 * (q - POWER_MIN) + 1] = power % WORD;
  }
  return new Uint8Array(words.buffer);
}

function bitLength(n: bigint): bigint {
  return BigInt(n.toString(2).length);
}

function normalised(n: bigint): bigint {
  const bits = bitLength(n);
  return bits > 128n ? n >> (bits - 128n) : n << (128n - bits);
}

function inverse(power: bigint, q: number): bigint {
  const bits = bitLength(power);
  const shift = q >= -27 ? bits + 127n : 2n * bits + 128n;
  let inverted = (1n << shift) / power + 1n;
  while (inverted >= 1n << 128n) inverted >>= 1n;
  return inverted;
}
