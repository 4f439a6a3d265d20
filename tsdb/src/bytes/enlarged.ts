// Typed arrays that grow.

/** Copies the items of an array to the beginning of a larger one of its type, and returns that. */
export function enlarged<T extends Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array>(
  from: T,
  to: T,
): T {
  to.set(from);
  return to;
}
