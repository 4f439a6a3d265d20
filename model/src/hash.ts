// Hashes that are contracts: murmur3 decides which shard owns a target, MD5 what relabeling's hashmod gives.

import { createHash } from 'node:crypto';
import murmur from 'murmurhash3js';

/** Slots of every topology table. */
export const SLOTS = 1024;

/** MurmurHash3 x86_32 of the UTF-8 bytes, unsigned. */
export function murmur3(s: string, seed = 0): number {
  return murmur.x86.hash32(toByteString(s), seed);
}

/** murmurhash3js takes the low byte of each character, so every byte becomes one character. */
function toByteString(s: string): string {
  return Buffer.from(s, 'utf8').toString('latin1');
}

/** The slot of a shard key: murmur3 mod 1024. */
export function slotOf(key: string): number {
  return murmur3(key) % SLOTS;
}

/** The last 8 bytes of the MD5, big-endian, mod `modulus`: Prometheus's hashmod. */
export function md5Mod(s: string, modulus: number | bigint): bigint {
  return createHash('md5').update(s, 'utf8').digest().readBigUInt64BE(8) % BigInt(modulus);
}
