import { describe, expect, test } from '@jest/globals';
import type { RuleGroupSpec } from '../objects/monitoring-schema.ts';
import { enforceRules } from './enforce-rules.ts';

function enforced(expr: string, labels?: Record<string, string>): { expr: string; labels: object } {
  const groups = [
    { name: 'g', rules: [{ record: 'r', expr, ...(labels && { labels }) }] },
  ] as RuleGroupSpec[];
  const [rule] = enforceRules(groups, 'namespace', 'team-a')[0]!.rules;
  return { expr: rule!.expr, labels: rule!.labels! };
}

describe('enforceRules', () => {
  test('puts the matcher into every selector, in place of what is there', () => {
    const check = (expr: string, want: string): void => expect(enforced(expr).expr).toBe(want);
    check('up', 'up{namespace="team-a"}');
    check('up{job="x",namespace="other"}', 'up{job="x",namespace="team-a"}');
    check('up{namespace=~".*",namespace!="a"}', 'up{namespace="team-a"}');
    check('{__name__="up"}', '{__name__="up",namespace="team-a"}');
    check('sum by (job) (rate(a[5m] offset 1h))', 'sum by (job) (rate(a{namespace="team-a"}[5m] offset 1h))');
    check('a / on (x) group_left () b', 'a{namespace="team-a"} / on (x) group_left () b{namespace="team-a"}');
    check('-(a > bool 2)', '-(a{namespace="team-a"} > bool 2)');
    check('max_over_time(rate(a[1m])[10m:30s])', 'max_over_time(rate(a{namespace="team-a"}[1m])[10m:30s])');
    check('topk(scalar(k), a)', 'topk(scalar(k{namespace="team-a"}), a{namespace="team-a"})');
    check('vector(1)', 'vector(1)');
  });

  test('sets the label on the result, whatever the rule says', () => {
    expect(enforced('up', { namespace: 'other', severity: 'page' }).labels).toEqual({
      namespace: 'team-a',
      severity: 'page',
    });
  });

  test('refuses what is no expression', () => {
    expect(() => enforced('sum(')).toThrow(/parse error/);
  });
});
