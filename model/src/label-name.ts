// Label and metric names: the legacy (ASCII) rules decide how a name is printed, the UTF-8 rule what is accepted.

import { isWellFormed } from './utf8-order.ts';

/** The label that holds the metric's name. */
export const METRIC_NAME = '__name__';

export function isValidLegacyLabelName(s: string): boolean {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(s);
}

export function isValidLegacyMetricName(s: string): boolean {
  return /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(s);
}

/** Whether `s` may be a label or metric name since Prometheus 3: any UTF-8 text that is not empty. */
export function isValidUtf8Name(s: string): boolean {
  return s !== '' && isWellFormed(s);
}
