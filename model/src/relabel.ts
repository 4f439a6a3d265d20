// Relabeling: rules that rewrite labels or drop their bearer, one after the other, as Prometheus runs them.

import { simpleLowerCase, simpleUpperCase } from './simple-case.ts';
import { md5Mod } from './hash.ts';
import { isValidUtf8Name } from './label-name.ts';
import { LabelsBuilder } from './labels-builder.ts';
import type { Labels } from './labels.ts';
import { isLabelNameOf, type RelabelRule } from './relabel-rule.ts';

/** What one rule left; `labels` is undefined if it dropped everything. */
export interface RelabelStep {
  readonly rule: number;
  readonly labels: Labels | undefined;
}

export interface RelabelTrace {
  readonly steps: readonly RelabelStep[];
  readonly labels: Labels | undefined;
  /** Index of the rule that dropped, or -1. */
  readonly droppedBy: number;
}

/** Runs the rules in order. undefined = dropped. */
export function relabel(labels: Labels, rules: readonly RelabelRule[]): Labels | undefined {
  const builder = new LabelsBuilder(labels);
  for (const rule of rules) if (!applyRule(rule, builder)) return undefined;
  return builder.labels();
}

/** Like relabel, with the labels after every rule that ran: the answer to "what did relabeling do?". */
export function relabelSteps(labels: Labels, rules: readonly RelabelRule[]): RelabelTrace {
  const builder = new LabelsBuilder(labels);
  const steps: RelabelStep[] = [];
  for (const [index, rule] of rules.entries()) {
    const kept = applyRule(rule, builder);
    steps.push({ rule: index, labels: kept ? builder.labels() : undefined });
    if (!kept) return { steps, labels: undefined, droppedBy: index };
  }
  return { steps, labels: builder.labels(), droppedBy: -1 };
}

/** False = drop. */
function applyRule(rule: RelabelRule, labels: LabelsBuilder): boolean {
  const { action, regex, targetLabel } = rule;
  switch (action) {
    case 'keep':
      return regex.test(joinSources(rule, labels));
    case 'drop':
      return !regex.test(joinSources(rule, labels));
    case 'keepequal':
      return labels.get(targetLabel) === joinSources(rule, labels);
    case 'dropequal':
      return labels.get(targetLabel) !== joinSources(rule, labels);
    case 'replace':
      replace(rule, labels);
      break;
    case 'lowercase':
      labels.set(targetLabel, simpleLowerCase(joinSources(rule, labels)));
      break;
    case 'uppercase':
      labels.set(targetLabel, simpleUpperCase(joinSources(rule, labels)));
      break;
    case 'hashmod':
      labels.set(targetLabel, md5Mod(joinSources(rule, labels), rule.modulus).toString());
      break;
    case 'labelmap':
      mapNames(rule, labels);
      break;
    case 'labeldrop':
      for (const [name] of labels) if (regex.test(name)) labels.delete(name);
      break;
    case 'labelkeep':
      for (const [name] of labels) if (!regex.test(name)) labels.delete(name);
      break;
  }
  return true;
}

function joinSources(rule: RelabelRule, labels: LabelsBuilder): string {
  const { sourceLabels } = rule;
  if (sourceLabels.length === 1) return labels.get(sourceLabels[0]!);
  return sourceLabels.map((name) => labels.get(name)).join(rule.separator);
}

/** No match, or a target that expands to no label name, changes nothing; an empty result deletes the target. */
function replace(rule: RelabelRule, labels: LabelsBuilder): void {
  const match = rule.regex.capture(joinSources(rule, labels));
  if (match === undefined) return;
  const target = rule.regex.expand(rule.targetLabel, match);
  if (isLabelNameOf(target, rule.names)) labels.set(target, rule.regex.expand(rule.replacement, match));
}

/** Copies values to new names. It sees the labels as they were, not those that it adds; an empty name adds nothing. */
function mapNames(rule: RelabelRule, labels: LabelsBuilder): void {
  for (const [name, value] of labels) {
    const match = rule.regex.capture(name);
    if (match === undefined) continue;
    const target = rule.regex.expand(rule.replacement, match);
    if (isValidUtf8Name(target)) labels.set(target, value);
  }
}
