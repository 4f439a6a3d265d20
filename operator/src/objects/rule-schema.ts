// PrometheusRule: groups of recording and alerting rules.

import { z } from 'zod';
import { durationText, intOrString, listMap, optional, stringMap } from './schema-parts.ts';

const rule = z.strictObject({
  record: optional(z.string(), 'Name of the series to record. Either this or alert.'),
  alert: optional(z.string(), 'Name of the alert. Either this or record.'),
  expr: intOrString.transform(String).describe('PromQL to evaluate.'),
  for: optional(durationText, 'How long an alert must hold before it fires.'),
  keep_firing_for: optional(durationText.min(1), 'How long an alert fires on after it has ceased to hold.'),
  labels: optional(stringMap, 'Labels to set on the series or the alert.'),
  annotations: optional(stringMap, 'Annotations of the alert.'),
});
export type RuleSpec = z.output<typeof rule>;

const ruleGroup = z.strictObject({
  name: z.string().min(1).describe('Name, once in an object.'),
  interval: optional(durationText, "Time between evaluations; the Fleet's evaluationInterval when absent."),
  query_offset: optional(durationText, 'How far back in time the group is evaluated.'),
  labels: optional(stringMap, 'Labels to set on all of the rules, which may set others.'),
  limit: optional(z.int(), 'Series or alerts that one rule may give; with more it fails. 0: no limit.'),
  partial_response_strategy: optional(
    z
      .string()
      .regex(/^(abort|warn)?$/i, 'want abort or warn')
      .meta({ pattern: '^(?i)(abort|warn)?$' }),
    'For Thanos; not used.',
  ),
  rules: z.array(rule).default([]).describe('Rules, evaluated in their order.'),
});
export type RuleGroupSpec = z.output<typeof ruleGroup>;

export const prometheusRuleFields = {
  spec: z.strictObject({ groups: listMap(ruleGroup, 'name').default([]).describe('Groups of rules.') }),
};
