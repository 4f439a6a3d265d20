// native_histogram_bucket_limit and native_histogram_min_bucket_factor: less resolution instead of more buckets.

import { CUSTOM_SCHEMA } from '@flotilla/model';
import { floatHistogramOf, type NativeHistogram, nativeOf } from '@flotilla/tsdb';
import { schemaMax, schemaMin } from '../parse/check-histogram.ts';

export interface HistogramLimits {
  /** 0: no limit. */
  readonly histogramBuckets: number;
  /** Finer ones are made coarser. */
  readonly histogramSchemaMax: number;
}

/** Finer schemas that may be read, and are made coarser. */
const schemaReservedMax = 52;
/** What client libraries take for the finest resolution. */
const finestFactor = 1.00271;

/** The finest schema whose buckets grow by at least `factor` each; the finest of all for 0. */
export function schemaOfFactor(factor: number): number {
  const schema = Math.floor(-Math.log2(Math.log2(factor <= 1 ? finestFactor : factor)));
  return Math.min(schemaMax, Math.max(schemaMin, schema));
}

/** The histogram, in a coarser schema if it must be; undefined if none is coarse enough. */
export function withinLimits(
  histogram: NativeHistogram,
  limits: HistogramLimits,
): NativeHistogram | undefined {
  const { schema } = histogram;
  const isTooFine = schema > limits.histogramSchemaMax && schema <= schemaReservedMax;
  let fitting = isTooFine ? coarser(histogram, limits.histogramSchemaMax) : histogram;
  if (limits.histogramBuckets === 0) return fitting;
  while (fitting.positive.length + fitting.negative.length > limits.histogramBuckets) {
    if (fitting.schema === CUSTOM_SCHEMA || fitting.schema <= schemaMin) return undefined;
    fitting = coarser(fitting, fitting.schema - 1);
  }
  return fitting;
}

function coarser(histogram: NativeHistogram, schema: number): NativeHistogram {
  return nativeOf(floatHistogramOf(histogram).coarser(schema), histogram.isFloat);
}
