// Hot: compensated summation of the counts of histograms.

import { type BucketList, unionOfIndexes, zeroCounts } from './histogram-buckets.ts';
import { coarserIndex } from './histogram-bounds.ts';

/** The compensation after `sum` takes `value` in. */
export function compensated(sum: number, value: number, compensation: number): number {
  const total = sum + value;
  if (total === Infinity || total === -Infinity) return 0;
  if (Math.abs(sum) >= Math.abs(value)) return compensation + (sum - total + value);
  return compensation + (value - total + sum);
}

/** Counts with the compensations of their summation, which are as many. */
export interface CompensatedBuckets extends BucketList {
  readonly rests: readonly number[];
}

export function withRests(list: BucketList, rests?: readonly number[]): CompensatedBuckets {
  return {
    indexes: list.indexes,
    counts: list.counts,
    rests: rests ?? zeroCounts(list.counts.length),
  };
}

/** Adds to the last of growing columns. */
class Columns {
  readonly indexes: number[] = [];
  readonly counts: number[] = [];
  readonly rests: number[] = [];

  push(index: number, count: number, rest: number): void {
    this.indexes.push(index);
    this.counts.push(count);
    this.rests.push(rest);
  }

  addToLast(value: number): void {
    const last = this.counts.length - 1;
    this.rests[last] = compensated(this.counts[last]!, value, this.rests[last]!);
    this.counts[last]! += value;
  }

  finish(): CompensatedBuckets {
    return {
      indexes: this.indexes,
      counts: this.counts,
      rests: this.rests,
    };
  }
}

/** The list in a coarser schema. */
export function coarserCompensated(
  list: CompensatedBuckets,
  schema: number,
  coarser: number,
): CompensatedBuckets {
  if (schema === coarser) return list;
  const columns = new Columns();
  list.indexes.forEach((index, i) => {
    const target = coarserIndex(index, schema, coarser);
    if (columns.indexes.at(-1) === target) {
      columns.addToLast(list.counts[i]!);
      columns.addToLast(list.rests[i]!);
    } else {
      columns.push(target, list.counts[i]!, list.rests[i]!);
    }
  });
  return columns.finish();
}

/** All buckets of both; rests of `b` are added like counts. */
export function addCompensated(a: CompensatedBuckets, b: CompensatedBuckets): CompensatedBuckets {
  const indexes = unionOfIndexes(a.indexes, b.indexes);
  const counts = zeroCounts(indexes.length);
  const rests = zeroCounts(indexes.length);
  let i = 0;
  let j = 0;
  for (let k = 0; k < indexes.length; k++) {
    const inA = a.indexes[i] === indexes[k];
    const inB = b.indexes[j] === indexes[k];
    let count = inA ? a.counts[i]! : b.counts[j]!;
    let rest = inA ? a.rests[i]! : b.rests[j]!;
    if (inA && inB) {
      rest = compensated(count, b.counts[j]!, rest);
      count += b.counts[j]!;
      if (b.rests[j] !== 0) {
        rest = compensated(count, b.rests[j]!, rest);
        count += b.rests[j]!;
      }
    }
    counts[k] = count;
    rests[k] = rest;
    if (inA) i++;
    if (inB) j++;
  }
  return { indexes, counts, rests };
}
