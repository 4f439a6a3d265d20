// Hot: a native histogram with float counts: what a sample of that kind is.
//
// Immutable; operations give new histograms that may share columns with their operands. Exponential buckets count
// absolute values in (bound of index - 1, bound of index]; custom ones count values up to each bound.

import { CUSTOM_SCHEMA } from './histogram-bounds.ts';
import {
  type BucketList,
  coarserBuckets,
  compactBuckets,
  NO_BUCKETS,
  overCounts,
  sameBuckets,
  sameNumbers,
  timesCounts,
} from './histogram-buckets.ts';

/** Whether the counter was reset before this sample; a gauge has no resets. */
export type CounterResetHint = 'unknown' | 'reset' | 'not_reset' | 'gauge';

export interface HistogramFields {
  readonly hint?: CounterResetHint;
  /** -4 to 8: exponential; CUSTOM_SCHEMA: custom bounds. */
  readonly schema?: number;
  readonly count?: number;
  readonly sum?: number;
  /** The zero bucket reaches from minus this to this, both inclusive. */
  readonly zeroThreshold?: number;
  readonly zeroCount?: number;
  readonly positive?: BucketList;
  readonly negative?: BucketList;
  /** Upper bounds of custom buckets, rising, without +Inf. */
  readonly customBounds?: readonly number[];
}

const NO_BOUNDS: readonly number[] = [];

export class FloatHistogram {
  readonly hint: CounterResetHint;
  readonly schema: number;
  readonly count: number;
  readonly sum: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly positive: BucketList;
  readonly negative: BucketList;
  readonly customBounds: readonly number[];

  constructor(fields: HistogramFields) {
    this.hint = fields.hint ?? 'unknown';
    this.schema = fields.schema ?? 0;
    this.count = fields.count ?? 0;
    this.sum = fields.sum ?? 0;
    this.zeroThreshold = fields.zeroThreshold ?? 0;
    this.zeroCount = fields.zeroCount ?? 0;
    this.positive = fields.positive ?? NO_BUCKETS;
    this.negative = fields.negative ?? NO_BUCKETS;
    this.customBounds = fields.customBounds ?? NO_BOUNDS;
  }

  get isCustom(): boolean {
    return this.schema === CUSTOM_SCHEMA;
  }

  /** The same with other values of some fields. */
  with(fields: HistogramFields): FloatHistogram {
    // Field by field: spreading two objects into a third takes longer than all else that makes a histogram.
    return new FloatHistogram({
      hint: fields.hint ?? this.hint,
      schema: fields.schema ?? this.schema,
      count: fields.count ?? this.count,
      sum: fields.sum ?? this.sum,
      zeroThreshold: fields.zeroThreshold ?? this.zeroThreshold,
      zeroCount: fields.zeroCount ?? this.zeroCount,
      positive: fields.positive ?? this.positive,
      negative: fields.negative ?? this.negative,
      customBounds: fields.customBounds ?? this.customBounds,
    });
  }

  withHint(hint: CounterResetHint): FloatHistogram {
    return this.hint === hint ? this : this.with({ hint });
  }

  /** Without empty buckets. */
  compact(): FloatHistogram {
    const positive = compactBuckets(this.positive);
    const negative = compactBuckets(this.negative);
    if (positive === this.positive && negative === this.negative) return this;
    return this.with({ positive, negative });
  }

  /** In an exponential schema that is no finer. */
  coarser(schema: number): FloatHistogram {
    if (schema === this.schema) return this;
    const positive = coarserBuckets(this.positive, this.schema, schema);
    const negative = coarserBuckets(this.negative, this.schema, schema);
    return this.with({ schema, positive, negative });
  }

  /** Times a factor; a negative one makes a gauge of it. */
  times(factor: number): FloatHistogram {
    return this.with({
      hint: factor < 0 ? 'gauge' : this.hint,
      count: this.count * factor,
      sum: this.sum * factor,
      zeroCount: this.zeroCount * factor,
      positive: timesCounts(this.positive, factor),
      negative: timesCounts(this.negative, factor),
    });
  }

  /** Divided by a number; by zero, no bucket is left. */
  over(divisor: number): FloatHistogram {
    return this.with({
      hint: divisor < 0 ? 'gauge' : this.hint,
      count: this.count / divisor,
      sum: this.sum / divisor,
      zeroCount: this.zeroCount / divisor,
      positive: divisor === 0 ? NO_BUCKETS : overCounts(this.positive, divisor),
      negative: divisor === 0 ? NO_BUCKETS : overCounts(this.negative, divisor),
    });
  }

  /** Whether anything in it is infinite. */
  hasOverflow(): boolean {
    const isInfinite = (value: number): boolean => value === Infinity || value === -Infinity;
    if ([this.zeroCount, this.count, this.sum].some(isInfinite)) return true;
    return this.positive.counts.some(isInfinite) || this.negative.counts.some(isInfinite);
  }

  /** Equal but for the hint. Any NaN is equal to any other. */
  equals(other: FloatHistogram): boolean {
    return (
      this.schema === other.schema &&
      Object.is(this.count, other.count) &&
      Object.is(this.sum, other.sum) &&
      this.zeroThreshold === other.zeroThreshold &&
      Object.is(this.zeroCount, other.zeroCount) &&
      sameNumbers(this.customBounds, other.customBounds) &&
      sameBuckets(this.negative, other.negative) &&
      sameBuckets(this.positive, other.positive)
    );
  }

  /** About how many bytes it takes. */
  get bytes(): number {
    return 168 + 12 * (this.positive.counts.length + this.negative.counts.length);
  }
}
