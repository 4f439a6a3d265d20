// Values without I/O. Everything here is pure or immutable, except builders, interners and caches.

export { formatByteSize, parseByteSize } from './byte-size.ts';
export { formatDuration, parseDuration, parseGoDuration } from './duration.ts';
export { assert, BadRequest, CorruptionError, Unavailable } from './errors.ts';
export { freeMemory } from './free-memory.ts';
export { goQuote } from './go-quote.ts';
export { md5Mod, murmur3, slotOf, SLOTS } from './hash.ts';
export { type CounterResetHint, FloatHistogram, type HistogramFields } from './histogram.ts';
export {
  addHistograms,
  combineHints,
  type CombinedHistogram,
  subtractHistograms,
} from './histogram-arithmetic.ts';
export { CUSTOM_SCHEMA, exponentialBound, isExponentialSchema } from './histogram-bounds.ts';
export {
  type BucketList,
  type BucketSpan,
  bucketsOfSpans,
  coarserBuckets,
  countsOfDeltas,
  sameNumbers,
  spansOfBuckets,
  spreadCounts,
  unionOfIndexes,
  zeroCounts,
} from './histogram-buckets.ts';
export { scaledDifference } from './histogram-difference.ts';
export { allBuckets, bucketAt, bucketCount, type HistogramBucket } from './histogram-iterate.ts';
export { wasReset } from './histogram-reset.ts';
export {
  histogramFraction,
  histogramQuantile,
  histogramVariance,
  type NanEffect,
} from './histogram-statistics.ts';
export { type AddOutcome, HistogramMean, HistogramSum } from './histogram-sum.ts';
export {
  bucketJsonHead,
  histogramExpression,
  type HistogramJson,
  histogramText,
  histogramToJson,
  parseHistogram,
} from './histogram-text.ts';
export { trimHistogram, type TrimSide } from './histogram-trim.ts';
export { JsonField } from './json-field.ts';
export { compareLabelSets, decodeLabels, encodeLabels } from './label-bytes.ts';
export { LabelInterner } from './label-interner.ts';
export {
  isValidLegacyLabelName,
  isValidLegacyMetricName,
  isValidUtf8Name,
  METRIC_NAME,
} from './label-name.ts';
export { LabelsBuilder } from './labels-builder.ts';
export { compareLabels, Labels, METADATA_LABELS, soleMetadata } from './labels.ts';
export { Matcher, type MatchType } from './matcher.ts';
export { formatFloat, formatGoG, formatSampleValue, parseGoFloat } from './number-format.ts';
export { AnchoredRegexp, type Captures, PatternError } from './regexp.ts';
export {
  type NameScheme,
  parseRelabelRule,
  type RelabelAction,
  type RelabelConfig,
  type RelabelRule,
  relabelRuleConfig,
} from './relabel-rule.ts';
export { relabel, type RelabelStep, relabelSteps, type RelabelTrace } from './relabel.ts';
export {
  isStale,
  NORMAL_NAN_HIGH,
  NORMAL_NAN_LOW,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
  staleNaN,
  writeStale,
} from './stale.ts';
export { compareUtf8 } from './utf8-order.ts';
