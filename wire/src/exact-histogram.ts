// A native histogram without loss in the JSON of the query API, for who stores it: with spans, where the API's form has bounds.

import {
  type BucketList,
  bucketsOfSpans,
  FloatHistogram,
  formatFloat,
  JsonField,
  parseGoFloat,
  spansOfBuckets,
} from '@flotilla/model';

/** Parameter of /api/v1/query: `histograms=exact` gives `exactHistogram: [time, ExactHistogram]` in place of `histogram`. */
export const HISTOGRAMS_PARAM = 'histograms';
export const HISTOGRAMS_EXACT = 'exact';

/** Floats as the shortest text that reads back as the same number; spans as [offset, length]. */
export interface ExactHistogram {
  readonly hint: FloatHistogram['hint'];
  readonly schema: number;
  readonly count: string;
  readonly sum: string;
  readonly zeroThreshold: string;
  readonly zeroCount: string;
  readonly positive: ExactSide;
  readonly negative: ExactSide;
  readonly customBounds: readonly string[];
}

interface ExactSide {
  readonly spans: readonly (readonly [number, number])[];
  readonly counts: readonly string[];
}

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

function exactSide(list: BucketList): ExactSide {
  const spans = spansOfBuckets(list).map(({ offset, length }) => [offset, length] as const);
  return { spans, counts: Array.from(list.counts, formatFloat) };
}

/** Throws for what is no exact histogram. */
export function parseExactHistogram(json: unknown): FloatHistogram {
  const field = new JsonField(json, 'histogram');
  return new FloatHistogram({
    hint: field.at('hint').oneOf('unknown', 'reset', 'not_reset', 'gauge'),
    schema: field.at('schema').integer(-100, 100),
    count: floatOf(field.at('count')),
    sum: floatOf(field.at('sum')),
    zeroThreshold: floatOf(field.at('zeroThreshold')),
    zeroCount: floatOf(field.at('zeroCount')),
    positive: bucketsOf(field.at('positive')),
    negative: bucketsOf(field.at('negative')),
    customBounds: field.at('customBounds').items().map(floatOf),
  });
}

function floatOf(field: JsonField): number {
  return parseGoFloat(field.text()) ?? field.fail('want a number');
}

function bucketsOf(side: JsonField): BucketList {
  const spans = side
    .at('spans')
    .items()
    .map((span) => {
      const [offset, length, ...rest] = span.items();
      if (offset === undefined || length === undefined || rest.length > 0)
        return span.fail('want an offset and a length');
      return { offset: offset.integer(Number.MIN_SAFE_INTEGER), length: length.integer(0) };
    });
  return bucketsOfSpans(spans, side.at('counts').items().map(floatOf));
}
