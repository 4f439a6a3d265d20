// Hot: lists of bucket indexes that histograms share. Without its empty buckets each change over a window has a list of its
// own, but the lists of all windows of all series are few.

/** A power of two. A list that meets another one in its place takes it. */
const PLACES = 1024;

const places: (readonly number[])[] = Array.from({ length: PLACES }, () => []);

/** A list of the first `size` of some indexes, maybe one that was made before. */
export function sharedIndexes(indexes: Int32Array, size: number): readonly number[] {
  let hash = size;
  for (let i = 0; i < size; i++) hash = Math.imul(hash, 31) + indexes[i]!;
  const place = (hash ^ (hash >>> 15)) & (PLACES - 1);
  const known = places[place]!;
  return isStartOf(indexes, size, known) ? known : (places[place] = Array.from(indexes.subarray(0, size)));
}

function isStartOf(indexes: Int32Array, size: number, list: readonly number[]): boolean {
  if (list.length !== size) return false;
  for (let i = 0; i < size; i++) if (list[i] !== indexes[i]) return false;
  return true;
}
