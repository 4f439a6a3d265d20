// Hot: the stale marker, a NaN that says "this series ends here". It is known by its bits alone.
//
// JavaScript may rewrite the bits of a NaN whenever it moves as a number, so markers are written and recognised in
// memory. Little-endian machines only, as WebAssembly memory is.

/** The stale marker: 0x7ff0000000000002. */
export const STALE_NAN_LOW = 0x00000002;
export const STALE_NAN_HIGH = 0x7ff00000;

/** The NaN that is stored for any other NaN: 0x7ff8000000000001. */
export const NORMAL_NAN_LOW = 0x00000001;
export const NORMAL_NAN_HIGH = 0x7ff80000;

const marker = new Float64Array(new Uint32Array([STALE_NAN_LOW, STALE_NAN_HIGH]).buffer);

/** The marker as a number: a NaN. Engines may lose its bits on the way; prefer writeStale. */
export function staleNaN(): number {
  return marker[0]!;
}

/** Whether values[index] is the stale marker. Allocates only if it is some NaN. */
export function isStale(values: Float64Array, index: number): boolean {
  const value = values[index]!;
  if (!Number.isNaN(value)) return false;
  const bits = new Uint32Array(values.buffer, values.byteOffset + 8 * index, 2);
  return bits[0] === STALE_NAN_LOW && bits[1] === STALE_NAN_HIGH;
}

/** Makes values[index] the stale marker. */
export function writeStale(values: Float64Array, index: number): void {
  values.set(marker, index); // Copies bytes between arrays of one type, hence every bit.
}
