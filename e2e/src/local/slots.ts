// What the tests compute on their own, apart from the product: the hash rule and the slots of a series.

/** MurmurHash3 x86 32-bit of UTF-8 bytes, written from the algorithm's definition. */
export function murmur3(text: string): number {
  const bytes = Buffer.from(text, 'utf8');
  const scramble = (word: number): number => {
    const k = Math.imul(word, 0xcc9e2d51);
    return Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  };
  let hash = 0;
  let offset = 0;
  for (; offset + 4 <= bytes.length; offset += 4) {
    hash ^= scramble(bytes.readUInt32LE(offset));
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let index = bytes.length - 1; index >= offset; index--) tail = (tail << 8) | bytes[index]!;
  if (bytes.length > offset) hash ^= scramble(tail);
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

export function slotOf(key: string): number {
  return murmur3(key) % 1024;
}

/**
 * Slots of one second that a series should fill in (fromMs, toMs] and does not.
 * The phase is read off the samples: every on-time sample has it exactly.
 */
export function missingSlots(
  samples: readonly (readonly [number, string])[],
  fromMs: number,
  toMs: number,
): number[] {
  const timesMs = samples.map(([seconds]) => Math.round(seconds * 1000));
  const phaseMs = mostFrequent(timesMs.map((timeMs) => timeMs % 1000));
  const filled = new Set(timesMs.map((timeMs) => Math.floor((timeMs - phaseMs) / 1000)));
  const missing: number[] = [];
  for (let slot = Math.floor((fromMs - phaseMs) / 1000) + 1; slot * 1000 + phaseMs <= toMs; slot++) {
    if (!filled.has(slot)) missing.push(slot * 1000 + phaseMs);
  }
  return missing;
}

function mostFrequent(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? 0;
}
