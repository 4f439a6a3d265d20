/**
 * Gives the memory of an array back at once and leaves it empty. What is left to the collector counts against V8's limits of memory outside
 * of the heap, and a few megabytes of it have the whole heap marked. Does nothing to an array that is a part of its buffer.
 */
export function freeMemory({ buffer, byteLength }: Uint8Array | Float64Array): void {
  if ('transfer' in buffer && byteLength > 0 && buffer.byteLength === byteLength) buffer.transfer(0);
}
