// Values without I/O. Everything here is pure or immutable, except builders, interners and caches.

export { formatByteSize, parseByteSize } from './byte-size.ts';
export { formatDuration, parseDuration, parseGoDuration } from './duration.ts';
export { assert, BadRequest, CorruptionError, Unavailable } from './errors.ts';
export { goQuote } from './go-quote.ts';
export { md5Mod, murmur3, slotOf, SLOTS } from './hash.ts';
export { LabelInterner } from './label-interner.ts';
export {
  isValidLegacyLabelName,
  isValidLegacyMetricName,
  isValidUtf8Name,
  METRIC_NAME,
} from './label-name.ts';
export { LabelsBuilder } from './labels-builder.ts';
export { compareLabels, Labels } from './labels.ts';
export { Matcher, type MatchType } from './matcher.ts';
export { formatFloat, formatGoG, formatSampleValue, parseGoFloat } from './number-format.ts';
export { AnchoredRegexp, type Captures, PatternError } from './regexp.ts';
export {
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
