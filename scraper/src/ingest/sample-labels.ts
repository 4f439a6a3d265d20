// From a line's labels to the labels of a series: target labels, honor_labels, metric relabeling, validity, limits.
// Runs once per series, not once per sample: the line cache remembers the result.

import {
  compareUtf8,
  isValidLegacyLabelName,
  isValidLegacyMetricName,
  isValidUtf8Name,
  Labels,
  LabelsBuilder,
  METRIC_NAME,
  relabel,
  type RelabelRule,
} from '@flotilla/model';
import { ParseError } from '../parse/parse-error.ts';
import { checkLabelLimits, type LabelLimits } from './label-limits.ts';
import { isUntouched } from './rule-screen.ts';

export interface SampleLabelRules {
  readonly target: Labels;
  readonly honorLabels: boolean;
  readonly relabelings: readonly RelabelRule[];
  readonly limits: LabelLimits;
  /** Names that are no legacy ones fail the scrape. */
  readonly hasLegacyNames: boolean;
}

/**
 * Labels of the series of a line with `metric` and `pairs` (name, value, …; unsorted, empty values included).
 *
 * undefined: relabeling dropped it. Throws ParseError or LabelLimitError, either of which fails the scrape.
 */
export function seriesLabels(
  metric: string,
  pairs: readonly string[],
  rules: SampleLabelRules,
): Labels | undefined {
  const exposed = sortedPairs(metric, pairs);
  const merged = rules.honorLabels ? honorExposed(exposed, rules.target) : honorTarget(exposed, rules.target);
  const labels = isUntouched(merged, rules.relabelings) ? merged : relabel(merged, rules.relabelings);
  if (labels === undefined || labels.length === 0) return undefined;
  if (!labels.has(METRIC_NAME)) throw new ParseError('missing metric name (__name__ label)');
  checkValid(labels, rules.hasLegacyNames);
  checkLabelLimits(labels, rules.limits);
  return labels;
}

/** Sorted by name, the metric name among them. */
function sortedPairs(metric: string, pairs: readonly string[]): (readonly [string, string])[] {
  const sorted: (readonly [string, string])[] = [[METRIC_NAME, metric]];
  for (let i = 0; i < pairs.length; i += 2) sorted.push([pairs[i]!, pairs[i + 1]!]);
  sorted.sort(([a], [b]) => compareUtf8(a, b));
  for (let i = 1; i < sorted.length; i++) {
    const [name] = sorted[i]!;
    if (name === sorted[i - 1]![0])
      throw new ParseError(`label name "${name}" is not unique: invalid sample`);
  }
  return sorted;
}

/** The exposed label wins; an empty one removes the target's. */
function honorExposed(exposed: readonly (readonly [string, string])[], target: Labels): Labels {
  const builder = new LabelsBuilder(target);
  for (const [name, value] of exposed) builder.set(name, value);
  return builder.labels();
}

/** The target's label wins; an exposed one of that name moves to the first free name of exported_…exported_name. */
function honorTarget(exposed: readonly (readonly [string, string])[], target: Labels): Labels {
  const flat: string[] = [];
  const displaced: (readonly [string, string])[] = [];
  let t = 0;
  for (const [name, value] of exposed) {
    let order = -1;
    while (t < target.length && (order = compareUtf8(target.name(t), name)) < 0) {
      flat.push(target.name(t), target.value(t++));
    }
    if (t < target.length && order === 0) {
      if (value !== '') displaced.push([name, value]);
    } else if (value !== '') flat.push(name, value);
  }
  for (; t < target.length; t++) flat.push(target.name(t), target.value(t));
  const merged = Labels.fromSorted(flat);
  return displaced.length === 0 ? merged : exportLabels(merged, displaced);
}

/** Shortest name first, so that the result does not depend on the order of the labels. */
function exportLabels(merged: Labels, displaced: readonly (readonly [string, string])[]): Labels {
  const builder = new LabelsBuilder(merged);
  for (const [name, value] of displaced.toSorted(([a], [b]) => a.length - b.length)) {
    let free = `exported_${name}`;
    while (builder.get(free) !== '') free = `exported_${free}`;
    builder.set(free, value);
  }
  return builder.labels();
}

function checkValid(labels: Labels, hasLegacyNames: boolean): void {
  const isValid = hasLegacyNames ? isValidLegacyLabelName : isValidUtf8Name;
  for (let i = 0; i < labels.length; i++) {
    const isMetric = hasLegacyNames && labels.name(i) === METRIC_NAME;
    if (!isValid(labels.name(i)) || (isMetric && !isValidLegacyMetricName(labels.value(i)))) {
      throw new ParseError(`invalid metric name or label names: ${labels.toString()}`);
    }
  }
}
