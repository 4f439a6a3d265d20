// xxHash64 of labels in the packed form of Prometheus, so that limit_ratio() chooses the series that Prometheus would.
//
// In BigInt: it runs once per series of a rare aggregation.

import type { Labels } from '@flotilla/model';

const MASK = (1n << 64n) - 1n;
const PRIME1 = 0x9e3779b185ebca87n;
const PRIME2 = 0xc2b2ae3d27d4eb4fn;
const PRIME3 = 0x165667b19e3779f9n;
const PRIME4 = 0x85ebca77c2b2ae63n;
const PRIME5 = 0x27d4eb2f165667c5n;

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK;
}

function round(accumulator: bigint, input: bigint): bigint {
  return (rotate((accumulator + input * PRIME2) & MASK, 31n) * PRIME1) & MASK;
}

/** Takes whole stripes of 32 bytes in; four lanes, merged at the end. */
function hashStripes(view: DataView, stripes: number): bigint {
  const lanes = [(PRIME1 + PRIME2) & MASK, PRIME2, 0n, -PRIME1 & MASK];
  for (let at = 0; at < stripes * 32; at += 8) {
    const lane = (at >> 3) & 3;
    lanes[lane] = round(lanes[lane]!, view.getBigUint64(at, true));
  }
  const turns = [1n, 7n, 12n, 18n];
  const sum = lanes.reduce((total, lane, i) => total + rotate(lane, turns[i]!), 0n) & MASK;
  return lanes.reduce((hash, lane) => ((hash ^ round(0n, lane)) * PRIME1 + PRIME4) & MASK, sum);
}

/** The bytes after the last whole stripe. */
function hashTail(start: bigint, view: DataView, from: number): bigint {
  let hash = start;
  let at = from;
  for (; at + 8 <= view.byteLength; at += 8) {
    hash = (rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * PRIME1 + PRIME4) & MASK;
  }
  if (at + 4 <= view.byteLength) {
    const word = BigInt(view.getUint32(at, true));
    hash = (rotate(hash ^ ((word * PRIME1) & MASK), 23n) * PRIME2 + PRIME3) & MASK;
    at += 4;
  }
  for (; at < view.byteLength; at++) {
    const byte = BigInt(view.getUint8(at));
    hash = (rotate(hash ^ ((byte * PRIME5) & MASK), 11n) * PRIME1) & MASK;
  }
  return hash;
}

/** xxHash64 with seed 0. */
export function xxhash64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stripes = Math.floor(bytes.byteLength / 32);
  const begun = (stripes > 0 ? hashStripes(view, stripes) : PRIME5) + BigInt(bytes.byteLength);
  let hash = hashTail(begun & MASK, view, stripes * 32);
  hash = ((hash ^ (hash >> 33n)) * PRIME2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * PRIME3) & MASK;
  return hash ^ (hash >> 32n);
}

/** Names and values, each after its size: one byte, or 255 and three. */
function packLabels(labels: Labels): Uint8Array {
  const parts = labels.flat.flatMap((text) => {
    const bytes = Buffer.from(text, 'utf8');
    const size = bytes.length;
    const prefix = size < 255 ? [size] : [255, size & 0xff, (size >> 8) & 0xff, (size >> 16) & 0xff];
    return [Uint8Array.from(prefix), bytes];
  });
  return Buffer.concat(parts);
}

/** Where a series stands among all, in [0, 1]; evenly spread, and always the same. */
export function labelsPlace(labels: Labels): number {
  return Number(xxhash64(packLabels(labels))) / 2 ** 64;
}
