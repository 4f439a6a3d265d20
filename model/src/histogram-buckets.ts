// Hot: one side of a native histogram: the indexes of its buckets, rising, and their counts.
//
// Spans, the form of chunks and protocols, say the same; a list of indexes makes merging two sides a walk. A bucket
// that is listed may be empty. Lists are immutable.

import { coarserIndex } from './histogram-bounds.ts';

export interface BucketList {
  readonly indexes: Int32Array;
  /** Plain: typed arrays this small are memory outside of the heap, which costs several times as much to make and free. */
  readonly counts: readonly number[];
}

/** A run of buckets: how many indexes after the last run's end it begins (the first: from 0), and its length. */
export interface BucketSpan {
  readonly offset: number;
  readonly length: number;
}

export const NO_BUCKETS: BucketList = { indexes: new Int32Array(0), counts: [] };

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
  const indexes = new Int32Array(total);
  let next = 0;
  let index = 0;
  for (const { offset, length } of spans) {
    index += offset;
    for (let i = 0; i < length; i++) indexes[next++] = index++;
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
    indexes: Int32Array.from(kept, (i) => list.indexes[i]!),
    counts: kept.map((i) => list.counts[i]!),
  };
}

/** Without empty buckets. */
export function compactBuckets(list: BucketList): BucketList {
  return list.counts.includes(0) ? filterBuckets(list, (i) => list.counts[i] !== 0) : list;
}

export function mapCounts(list: BucketList, change: (count: number) => number): BucketList {
  return { indexes: list.indexes, counts: list.counts.map(change) };
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
  return { indexes: Int32Array.from(indexes), counts };
}

/** All buckets of both, those of `b` times `sign`. */
export function addBuckets(a: BucketList, b: BucketList, sign: 1 | -1): BucketList {
  const union = unionOfIndexes(a.indexes, b.indexes);
  const counts = zeroCounts(union.length);
  let i = 0;
  let j = 0;
  union.forEach((index, k) => {
    if (a.indexes[i] === index) counts[k] = a.counts[i++]!;
    if (b.indexes[j] === index) counts[k]! += b.counts[j++]! * sign;
  });
  return { indexes: union, counts };
}

/** The first of the arrays if both are the same. */
export function unionOfIndexes(a: Int32Array, b: Int32Array): Int32Array {
  if (sameIndexes(a, b)) return a;
  const union = new Int32Array(a.length + b.length);
  let count = 0;
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const left = a[i] ?? Infinity;
    const right = b[j] ?? Infinity;
    union[count++] = Math.min(left, right);
    if (left <= right) i++;
    if (right <= left) j++;
  }
  return union.subarray(0, count);
}

export function sameIndexes(a: Int32Array, b: Int32Array): boolean {
  if (a === b) return true;
  return a.length === b.length && a.every((index, i) => index === b[i]);
}

/** Same buckets, same counts: any NaN is the same as any other, 0 is not -0. */
export function sameBuckets(a: BucketList, b: BucketList): boolean {
  return sameIndexes(a.indexes, b.indexes) && a.counts.every((count, i) => Object.is(count, b.counts[i]));
}
