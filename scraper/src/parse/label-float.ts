// One spelling for the bucket bounds and quantiles that clients write in many: OpenMetrics's. Without it, an exporter's
// change from le="1" to le="1.0" would begin new series.

import { formatGoG, parseGoFloat } from '@flotilla/model';

/** `1` → `1.0`, `1000000` → `1e+06`, `.5` → `0.5`. What is no number stays as it is. */
export function normalizeLabelFloat(text: string): string {
  const value = parseGoFloat(text);
  return value === undefined ? text : labelFloat(value);
}

/** 1 → `1.0`, 1000000 → `1e+06`, infinity → `+Inf`. */
export function labelFloat(value: number): string {
  const shortest = Object.is(value, -0) ? '0' : formatGoG(value);
  return /[e.]|Inf|NaN/.test(shortest) ? shortest : `${shortest}.0`;
}
