// A native histogram without loss in the JSON of the query API, for who stores it: with spans, where the API's form has bounds.

import {
  type BucketList,
  bucketsOfSpans,
  FloatHistogram,
  formatFloat,
  parseGoFloat,
  spansOfBuckets,
} from '@flotilla/model';
import { z } from 'zod';

/** Parameter of /api/v1/query: `histograms=exact` gives `exactHistogram: [time, ExactHistogram]` in place of `histogram`. */
export const HISTOGRAMS_PARAM = 'histograms';
export const HISTOGRAMS_EXACT = 'exact';

const number = z.string().transform((text, context) => {
  const value = parseGoFloat(text);
  if (value !== undefined) return value;
  context.addIssue(`got ${JSON.stringify(text)}, want a number`);
  return z.NEVER;
});
const side = z.strictObject({
  spans: z.array(z.tuple([z.int(), z.int().nonnegative()])),
  counts: z.array(number),
});
const schema = z.strictObject({
  hint: z.enum(['unknown', 'reset', 'not_reset', 'gauge']),
  schema: z.int(),
  count: number,
  sum: number,
  zeroThreshold: number,
  zeroCount: number,
  positive: side,
  negative: side,
  customBounds: z.array(number),
});

/** Floats as the shortest text that reads back as the same number; spans as [offset, length]. */
export type ExactHistogram = z.input<typeof schema>;

export function exactHistogram(histogram: FloatHistogram): ExactHistogram {
  return {
    hint: histogram.hint,
    schema: histogram.schema,
    count: formatFloat(histogram.count),
    sum: formatFloat(histogram.sum),
    zeroThreshold: formatFloat(histogram.zeroThreshold),
    zeroCount: formatFloat(histogram.zeroCount),
    positive: exactSide(histogram.positive),
    negative: exactSide(histogram.negative),
    customBounds: histogram.customBounds.map(formatFloat),
  };
}

function exactSide(list: BucketList): ExactHistogram['positive'] {
  const spans = spansOfBuckets(list).map(({ offset, length }): [number, number] => [offset, length]);
  return { spans, counts: Array.from(list.counts, formatFloat) };
}

/** Throws for what is no exact histogram. */
export function parseExactHistogram(json: unknown): FloatHistogram {
  const fields = schema.parse(json);
  return new FloatHistogram({
    ...fields,
    positive: bucketsOf(fields.positive),
    negative: bucketsOf(fields.negative),
  });
}

function bucketsOf({ spans, counts }: z.output<typeof side>): BucketList {
  return bucketsOfSpans(
    spans.map(([offset, length]) => ({ offset, length })),
    counts,
  );
}
