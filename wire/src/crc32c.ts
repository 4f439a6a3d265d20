// CRC-32C (Castagnoli), slicing by 8: the checksum of every frame between processes.
// Hot: once over every byte of a series stream; 1.3 GB/s.

const polynomial = 0x82f63b78;
const tables = makeTables();

function makeTables(): readonly Int32Array[] {
  const made = Array.from({ length: 8 }, () => new Int32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    made[0]![byte] = crc;
  }
  for (let byte = 0; byte < 256; byte++) {
    for (let slice = 1; slice < 8; slice++) {
      const before = made[slice - 1]![byte]!;
      made[slice]![byte] = (before >>> 8) ^ made[0]![before & 0xff]!;
    }
  }
  return made;
}

const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as readonly [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

/** The checksum of `bytes`, unsigned; `seed` is the checksum of what came before. */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  let crc = ~seed;
  let offset = 0;
  for (; offset + 8 <= bytes.length; offset += 8) {
    const low =
      crc ^
      (bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24));
    crc =
      t7[low & 0xff]! ^
      t6[(low >>> 8) & 0xff]! ^
      t5[(low >>> 16) & 0xff]! ^
      t4[low >>> 24]! ^
      t3[bytes[offset + 4]!]! ^
      t2[bytes[offset + 5]!]! ^
      t1[bytes[offset + 6]!]! ^
      t0[bytes[offset + 7]!]!;
  }
  for (; offset < bytes.length; offset++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[offset]!) & 0xff]!;
  return ~crc >>> 0;
}
