// The samples of one classic histogram, gathered into a native one with custom buckets.

import { type BucketList, CUSTOM_SCHEMA, FloatHistogram, formatGoG } from '@flotilla/model';
import { type NativeHistogram, nativeOf } from '@flotilla/tsdb';

interface Bucket {
  readonly bound: number;
  /** Observations up to the bound. */
  readonly count: number;
}

/** Runs of empty buckets up to this are kept, so that the layout stays the same when one of them fills. */
const emptyRunMax = 2;

export class ClassicHistogram {
  /** Why the samples are no histogram, in Prometheus's words; '' if they may be. */
  error = '';
  readonly #given: Bucket[] = [];
  #count: number | undefined;
  #sum = 0;

  setCount(count: number): void {
    if (count < 0) this.#fail(`count must be non-negative: count=${formatGoG(count)}`);
    else this.#count = count;
  }

  setSum(sum: number): void {
    this.#sum = sum;
  }

  /** Buckets may come in any order; of two with one bound the first counts. */
  setBucket(bound: number, count: number): void {
    if (Number.isNaN(bound)) this.#fail('bucket boundary must not be NaN');
    else if (count < 0)
      this.#fail(`bucket count must be non-negative: le=${formatGoG(bound)}, count=${formatGoG(count)}`);
    else this.#given.push({ bound, count });
  }

  /** The native histogram; undefined, and `error` says why, if the samples contradict each other. */
  convert(): NativeHistogram | undefined {
    const buckets = this.#sorted();
    const count = this.#count ?? buckets.at(-1)?.count ?? 0;
    if (buckets.at(-1)?.bound !== Infinity) buckets.push({ bound: Infinity, count });
    const last = buckets.at(-1)!;
    if (count !== last.count)
      this.#fail(
        `count mismatch: count=${formatGoG(count)} != le=${formatGoG(last.bound)} count=${formatGoG(last.count)}`,
      );
    if (this.error !== '') return undefined;
    const isFloat = !Number.isInteger(count) || buckets.some((bucket) => !Number.isInteger(bucket.count));
    const counts = buckets.map((bucket, i) => bucket.count - (buckets[i - 1]?.count ?? 0));
    const histogram = new FloatHistogram({
      schema: CUSTOM_SCHEMA,
      count,
      sum: Number.isNaN(this.#sum) ? NaN : this.#sum,
      positive: keptBuckets(counts, isFloat ? 0 : emptyRunMax),
      customBounds: buckets.slice(0, -1).map(({ bound }) => bound),
    });
    return nativeOf(histogram, isFloat);
  }

  #sorted(): Bucket[] {
    const given = this.#given;
    const isRising = given.every(({ bound }, i) => i === 0 || bound > given[i - 1]!.bound);
    const sorted = isRising
      ? [...given]
      : given.toSorted((a, b) => (a.bound === b.bound ? 0 : a.bound - b.bound));
    const distinct = sorted.filter(({ bound }, i) => i === 0 || bound !== sorted[i - 1]!.bound);
    distinct.forEach(({ count }, i) => {
      const before = distinct[i - 1]?.count ?? 0;
      if (count < before) this.#fail(`count is not cumulative: ${formatGoG(count)} < ${formatGoG(before)}`);
    });
    return distinct;
  }

  #fail(error: string): void {
    if (this.error === '') this.error = error;
  }
}

/** Without empty buckets at the ends, and without runs of more than `runMax` of them. */
function keptBuckets(counts: readonly number[], runMax: number): BucketList {
  const indexes: number[] = [];
  let emptyFrom = 0;
  counts.forEach((count, i) => {
    if (count === 0) return;
    const empty = i - emptyFrom;
    if (indexes.length > 0 && empty <= runMax) for (let j = emptyFrom; j < i; j++) indexes.push(j);
    indexes.push(i);
    emptyFrom = i + 1;
  });
  return { indexes, counts: indexes.map((i) => counts[i]!) };
}
