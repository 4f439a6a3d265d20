// label_limit, label_name_length_limit, label_value_length_limit: beyond one of them the whole scrape fails.
// Lengths are bytes of UTF-8; texts are Prometheus's.

import { goQuote, type Labels, METRIC_NAME } from '@flotilla/model';

/** 0 means no limit. */
export interface LabelLimits {
  readonly labels: number;
  readonly labelNameLength: number;
  readonly labelValueLength: number;
}

export class LabelLimitError extends Error {
  override readonly name = 'LabelLimitError';
}

/** Throws LabelLimitError. */
export function checkLabelLimits(labels: Labels, limits: LabelLimits): void {
  const metric = labels.get(METRIC_NAME).slice(0, 50);
  if (limits.labels > 0 && labels.length > limits.labels) {
    throw new LabelLimitError(
      `label_limit exceeded (metric: ${metric}, number of labels: ${labels.length}, limit: ${limits.labels})`,
    );
  }
  if (limits.labelNameLength === 0 && limits.labelValueLength === 0) return;
  for (let i = 0; i < labels.length; i++) checkLengths(metric, labels.name(i), labels.value(i), limits);
}

function checkLengths(metric: string, name: string, value: string, limits: LabelLimits): void {
  const where = `metric: ${metric}, label name: ${name.slice(0, 50)}`;
  const nameLength = Buffer.byteLength(name);
  if (limits.labelNameLength > 0 && nameLength > limits.labelNameLength) {
    throw new LabelLimitError(
      `label_name_length_limit exceeded (${where}, length: ${nameLength}, limit: ${limits.labelNameLength})`,
    );
  }
  const valueLength = Buffer.byteLength(value);
  if (limits.labelValueLength > 0 && valueLength > limits.labelValueLength) {
    const shown = goQuote(value.slice(0, 50));
    throw new LabelLimitError(
      `label_value_length_limit exceeded (${where}, value: ${shown}, length: ${valueLength}, limit: ${limits.labelValueLength})`,
    );
  }
}
