// Hot: one side of a native histogram: the indexes of its buckets, rising, and their counts.
//
// Spans, the form of chunks and protocols, say the same; a list of indexes makes merging two sides a walk. A bucket
// that is listed may be empty. Lists are immutable, and histograms with the same buckets may share their indexes. Both
// columns are plain arrays: typed ones this small are memory outside of the heap, which costs several times as much to
// make and to free.

import { coarserIndex } from './histogram-bounds.ts';

export interface BucketList {
  readonly indexes: readonly number[];
  readonly counts: readonly number[];
}

/** A run of buckets: how many indexes after the last run's end it begins (the first: from 0), and its length. */
export interface BucketSpan {
  readonly offset: number;
  readonly length: number;
}

export const NO_BUCKETS: BucketList = { indexes: [], counts: [] };

/** Once V8 has seen a fraction in it, it keeps the numbers of an array, and of its copies, as doubles without boxes. */
let zeros: readonly number[] = [0.5, 0].slice(1);

/** Zeros, as many as are asked for, in the form that loops over counts are fastest on. */
export function zeroCounts(length: number): number[] {
  while (length > zeros.length) zeros = zeros.concat(zeros);
  return zeros.slice(0, length);
}

/** A copy, in the same form. */
export function copiedCounts(counts: ArrayLike<number>): number[] {
  const copy = zeroCounts(counts.length);
  for (let i = 0; i < copy.length; i++) copy[i] = counts[i]!;
  return copy;
}

/** Throws RangeError unless there are as many counts as the spans say. */
export function bucketsOfSpans(spans: readonly BucketSpan[], counts: ArrayLike<number>): BucketList {
  let total = 0;
  for (const { length } of spans) total += length;
  if (total !== counts.length) {
    throw new RangeError(`histogram spans: ${total} buckets, want ${counts.length}, as there are counts`);
  }
  const indexes: number[] = [];
  let index = 0;
  for (const { offset, length } of spans) {
    index += offset;
    for (let i = 0; i < length; i++) indexes.push(index++);
  }
  return { indexes, counts: copiedCounts(counts) };
}

/** The counts of an integer histogram, which is stored as differences between neighbours. */
export function countsOfDeltas(deltas: readonly number[]): number[] {
  const counts = deltas.slice();
  for (let i = 1; i < counts.length; i++) counts[i]! += counts[i - 1]!;
  return counts;
}

export function spansOfBuckets({ indexes }: BucketList): BucketSpan[] {
  const spans: { offset: number; length: number }[] = [];
  let end = 0;
  for (const index of indexes) {
    const last = spans.at(-1);
    if (last !== undefined && index === end) last.length++;
    else spans.push({ offset: index - end, length: 1 });
    end = index + 1;
  }
  return spans;
}

/** The buckets for which `keeps` holds; the same list if that is all. */
export function filterBuckets(list: BucketList, keeps: (position: number) => boolean): BucketList {
  const kept: number[] = [];
  for (let i = 0; i < list.counts.length; i++) if (keeps(i)) kept.push(i);
  if (kept.length === list.counts.length) return list;
  return {
    indexes: kept.map((i) => list.indexes[i]!),
    counts: kept.map((i) => list.counts[i]!),
  };
}

/** Without empty buckets. */
export function compactBuckets(list: BucketList): BucketList {
  const { indexes, counts } = list;
  let size = 0;
  for (let i = 0; i < counts.length; i++) if (counts[i] !== 0) size++;
  if (size === counts.length) return list;
  const kept = { indexes: indexes.slice(0, size), counts: zeroCounts(size) };
  for (let i = 0, next = 0; next < size; i++) {
    kept.indexes[next] = indexes[i]!;
    kept.counts[next] = counts[i]!;
    if (counts[i] !== 0) next++;
  }
  return kept;
}

/** Each count times a factor. */
export function timesCounts(list: BucketList, factor: number): BucketList {
  const { indexes, counts } = list;
  if (counts.length === 0) return list;
  const changed = zeroCounts(counts.length);
  for (let i = 0; i < changed.length; i++) changed[i] = counts[i]! * factor;
  return { indexes, counts: changed };
}

/** Each count divided by a number. */
export function overCounts(list: BucketList, divisor: number): BucketList {
  const { indexes, counts } = list;
  if (counts.length === 0) return list;
  const changed = zeroCounts(counts.length);
  for (let i = 0; i < changed.length; i++) changed[i] = counts[i]! / divisor;
  return { indexes, counts: changed };
}

/** The list in a coarser schema. */
export function coarserBuckets(list: BucketList, schema: number, coarser: number): BucketList {
  if (schema === coarser || list.counts.length === 0) return list;
  const indexes: number[] = [];
  const counts: number[] = [];
  list.indexes.forEach((index, i) => {
    const target = coarserIndex(index, schema, coarser);
    if (indexes.at(-1) === target) counts[counts.length - 1]! += list.counts[i]!;
    else {
      indexes.push(target);
      counts.push(list.counts[i]!);
    }
  });
  return { indexes, counts };
}

/** All buckets of both, those of `b` times `sign`. */
export function addBuckets(a: BucketList, b: BucketList, sign: 1 | -1): BucketList {
  if (b.counts.length === 0) return a;
  const indexes = unionOfIndexes(a.indexes, b.indexes);
  const counts = zeroCounts(indexes.length);
  for (let k = 0, i = 0, j = 0; k < counts.length; k++) {
    if (a.indexes[i] === indexes[k]) counts[k] = a.counts[i++]!;
    if (b.indexes[j] === indexes[k]) counts[k]! += b.counts[j++]! * sign;
  }
  return { indexes, counts };
}

/** The first of the arrays if both are the same. */
export function unionOfIndexes(a: readonly number[], b: readonly number[]): readonly number[] {
  if (sameNumbers(a, b)) return a;
  const union: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const left = a[i] ?? Infinity;
    const right = b[j] ?? Infinity;
    union.push(Math.min(left, right));
    if (left <= right) i++;
    if (right <= left) j++;
  }
  return union;
}

/** The counts at all these indexes, zero where there is no bucket. */
export function spreadCounts(list: BucketList, indexes: readonly number[]): readonly number[] {
  const counts = zeroCounts(indexes.length);
  for (let i = 0, j = 0; j < list.counts.length; i++) {
    if (indexes[i] === list.indexes[j]) counts[i] = list.counts[j++]!;
  }
  return counts;
}

/** Whether two lists of indexes, or of bounds, are the same. */
export function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether all of some indexes are among others. */
export function isSubset(some: readonly number[], all: readonly number[]): boolean {
  let i = 0;
  for (let j = 0; j < some.length; j++, i++) {
    const index = some[j]!;
    while (i < all.length && all[i]! < index) i++;
    if (i === all.length || all[i] !== index) return false;
  }
  return true;
}

/** Same buckets, same counts: any NaN is the same as any other, 0 is not -0. */
export function sameBuckets(a: BucketList, b: BucketList): boolean {
  return sameNumbers(a.indexes, b.indexes) && a.counts.every((count, i) => Object.is(count, b.counts[i]));
}
