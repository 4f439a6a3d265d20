// Hot: the sum so far of native histograms, with compensations. What has its schema, zero bucket and bounds, as nearly
// all that is summed up does, is added in place: once per sample, and without garbage.
//
// The float operations and their order are those of the general way, plus() in histogram-plus.ts, so the bits are the same.

import type { CounterResetHint, FloatHistogram } from './histogram.ts';
import { combineHints } from './histogram-arithmetic.ts';
import { exponentialBound } from './histogram-bounds.ts';
import {
  type BucketList,
  copiedCounts,
  isSubset,
  NO_BUCKETS,
  overCounts,
  sameNumbers,
  zeroCounts,
} from './histogram-buckets.ts';
import { addCompensated, compensated, withRests } from './histogram-kahan.ts';
import { type Compensated, joined } from './histogram-plus.ts';

/** The buckets of one side. It gets those of what is added. */
class RunningSide {
  indexes: readonly number[];
  counts: number[];
  rests: number[];

  constructor({ indexes, counts }: BucketList, rest: BucketList | undefined) {
    this.indexes = indexes;
    this.counts = copiedCounts(counts);
    this.rests = rest === undefined ? zeroCounts(counts.length) : copiedCounts(rest.counts);
  }

  add(list: BucketList): void {
    if (sameNumbers(this.indexes, list.indexes)) this.addAll(list.counts);
    else if (isSubset(list.indexes, this.indexes)) this.addSome(list);
    else this.widen(list);
  }

  private addAll(values: readonly number[]): void {
    const { counts, rests } = this;
    for (let i = 0; i < counts.length; i++) {
      const value = values[i]!;
      const count = counts[i]!;
      rests[i] = compensated(count, value, rests[i]!);
      counts[i] = count + value;
    }
  }

  private addSome({ indexes: some, counts: values }: BucketList): void {
    const { indexes, counts, rests } = this;
    for (let j = 0, i = 0; j < some.length; j++, i++) {
      const index = some[j]!;
      while (indexes[i]! < index) i++;
      const value = values[j]!;
      const count = counts[i]!;
      rests[i] = compensated(count, value, rests[i]!);
      counts[i] = count + value;
    }
  }

  private widen(list: BucketList): void {
    const { indexes, counts, rests } = addCompensated(this, withRests(list));
    this.indexes = indexes;
    this.counts = copiedCounts(counts);
    this.rests = copiedCounts(rests);
  }

  /** Its buckets over a number, compensations added; they take its columns. */
  finish(divisor: number): BucketList {
    const { indexes, counts, rests } = this;
    for (let i = 0; i < counts.length; i++) counts[i] = counts[i]! / divisor + rests[i]! / divisor;
    return { indexes, counts };
  }

  /** Whether all sums with a list's counts would be finite, or NaN. Of buckets that it has not itself, nobody knows. */
  staysFinite({ indexes: some, counts: values }: BucketList): boolean {
    const { indexes, counts } = this;
    let j = 0;
    for (let i = 0; i < counts.length; i++) {
      const count = some[j] === indexes[i] ? counts[i]! + values[j++]! : counts[i]!;
      if (isInfinite(count)) return false;
    }
    return j === some.length;
  }
}

function isInfinite(value: number): boolean {
  return value === Infinity || value === -Infinity;
}

/** What custom buckets have below the positive ones. */
const NOTHING_BELOW = { zeroCount: 0, negative: NO_BUCKETS };

export class RunningSum {
  /** Has what is the same in all that is added in place; its counts are those of the beginning. */
  private readonly first: FloatHistogram;
  private hint: CounterResetHint;
  private count: number;
  private countRest: number;
  private sum: number;
  private sumRest: number;
  private zeroCount: number;
  private zeroRest: number;
  private readonly positive: RunningSide;
  private readonly negative: RunningSide;
  /** The lowest index that was seen to be of a bucket which ends beyond the zero bucket. */
  private leastAbove = Infinity;

  /** Begins with a histogram that has compensations, or needs none. */
  constructor(value: FloatHistogram, rest?: FloatHistogram) {
    this.first = value;
    this.hint = value.hint;
    this.count = value.count;
    this.countRest = rest?.count ?? 0;
    this.sum = value.sum;
    this.sumRest = rest?.sum ?? 0;
    this.zeroCount = value.zeroCount;
    this.zeroRest = rest?.zeroCount ?? 0;
    this.positive = new RunningSide(value.positive, rest?.positive);
    this.negative = new RunningSide(value.negative, rest?.negative);
  }

  /** Adds one in place; false, and nothing is done, if only the general way can add it. */
  tryAdd(other: FloatHistogram): boolean {
    if (!this.fits(other)) return false;
    if (other.hint !== this.hint) ({ hint: this.hint } = combineHints(this.hint, other.hint));
    this.countRest = compensated(this.count, other.count, this.countRest);
    this.count += other.count;
    this.sumRest = compensated(this.sum, other.sum, this.sumRest);
    this.sum += other.sum;
    this.positive.add(other.positive);
    if (other.isCustom) return true;
    const zeroCount = this.zeroCount + other.zeroCount;
    this.zeroRest = compensated(this.zeroCount, other.zeroCount, this.zeroRest);
    // The general way adds the compensation of what it adds, which is none here.
    this.zeroRest = compensated(zeroCount, 0, this.zeroRest);
    this.zeroCount = zeroCount + 0;
    this.negative.add(other.negative);
    return true;
  }

  /** Whether nothing would be infinite after one was added in place; false also where that is hard to tell. */
  staysFinite(other: FloatHistogram): boolean {
    if (isInfinite(this.count + other.count) || isInfinite(this.sum + other.sum)) return false;
    const { zeroCount, negative } = other.isCustom ? NOTHING_BELOW : other;
    if (isInfinite(this.zeroCount + zeroCount)) return false;
    return this.positive.staysFinite(other.positive) && this.negative.staysFinite(negative);
  }

  private fits(other: FloatHistogram): boolean {
    const { first } = this;
    if (other.schema !== first.schema) return false;
    if (other.isCustom) return sameNumbers(other.customBounds, first.customBounds);
    if (other.zeroThreshold !== first.zeroThreshold) return false;
    return this.isAboveZero(other.positive) && this.isAboveZero(other.negative);
  }

  /** Whether all buckets of a side end beyond the zero bucket. */
  private isAboveZero({ indexes }: Pick<BucketList, 'indexes'>): boolean {
    const index = indexes[0] ?? Infinity;
    if (index >= this.leastAbove || index === Infinity) return true;
    const { schema, zeroThreshold } = this.first;
    if (exponentialBound(index, schema) <= zeroThreshold) return false;
    this.leastAbove = index;
    return true;
  }

  /** What it has come to. It shares columns with the sum, so it is old after the next addition. */
  state(): Compensated {
    const { positive, negative, first } = this;
    return {
      value: first.with({
        hint: this.hint,
        count: this.count,
        sum: this.sum,
        zeroCount: this.zeroCount,
        positive: { indexes: positive.indexes, counts: positive.counts },
        negative: { indexes: negative.indexes, counts: negative.counts },
      }),
      rest: first.with({
        count: this.countRest,
        sum: this.sumRest,
        zeroCount: this.zeroRest,
        positive: { indexes: positive.indexes, counts: positive.rests },
        negative: { indexes: negative.indexes, counts: negative.rests },
      }),
    };
  }

  /** What it has come to, over a number; it ends the sum, whose columns it may take. */
  finish(divisor: number): FloatHistogram {
    const { first, positive, negative } = this;
    const { isCustom } = first;
    if (!isCustom && !(this.isAboveZero(positive) && this.isAboveZero(negative))) {
      const { value, rest } = this.state();
      return joined({ value: value.over(divisor), rest: rest.over(divisor) });
    }
    return first.with({
      hint: this.hint,
      count: this.count / divisor + this.countRest / divisor,
      sum: this.sum / divisor + this.sumRest / divisor,
      zeroCount: isCustom ? first.zeroCount / divisor : this.zeroCount / divisor + this.zeroRest / divisor,
      positive: positive.finish(divisor),
      negative: isCustom ? overCounts(first.negative, divisor) : negative.finish(divisor),
    });
  }
}
