import { expect, test } from '@jest/globals';
import type { Request } from '@flotilla/chassis';
import type { RuleGroupStatus, RuleStatus } from '@flotilla/wire';
import { Params } from './params.ts';
import { ruleGroupPage } from './rule-group-page.ts';

function rule(type: RuleStatus['type'], name: string, severity: string): RuleStatus {
  const times = { evaluationTime: 0, lastEvaluation: '' };
  const alerts = type === 'alerting' ? { alerts: [] } : {};
  return { type, name, query: '1', labels: { severity }, health: 'ok', ...times, ...alerts };
}

function group(name: string, ...rules: RuleStatus[]): RuleGroupStatus {
  return { name, file: 'f', interval: 60, limit: 0, evaluationTime: 0, lastEvaluation: '', rules };
}

const groups = [
  group('a', rule('alerting', 'Down', 'page'), rule('recording', 'x:y', 'none')),
  group('b', rule('recording', 'x:z', 'none')),
  group('c', rule('alerting', 'Slow', 'info')),
  group('empty'),
];
const page = (query: string): ReturnType<typeof ruleGroupPage> =>
  ruleGroupPage(groups, new Params({ originalUrl: `/rules?${query}`, body: {} } as Request));

test('groups and rules that are asked for', () => {
  const check = (query: string, want: string): void => {
    const text = page(query).groups.map(
      ({ name, rules }) => `${name}:${rules.map((one) => one.name).join(',')}`,
    );
    expect([query, text.join(' ')]).toEqual([query, want]);
  };
  check('', 'a:Down,x:y b:x:z c:Slow');
  check('type=alert', 'a:Down c:Slow');
  check('type=record', 'a:x:y b:x:z');
  check('rule_name[]=Down&rule_name[]=x:z', 'a:Down b:x:z');
  check('rule_group[]=c&rule_group[]=b', 'b:x:z c:Slow');
  check('file[]=g', '');
  check('match[]={severity="page"}&match[]={severity="info"}', 'a:Down c:Slow');
  expect(page('exclude_alerts=true').groups[0]?.rules[0]?.alerts).toBeNull();
});

test('pages lead to the next one', () => {
  const seen: string[] = [];
  let token: string | undefined = '';
  while (token !== undefined) {
    const { groups: shown, groupNextToken }: ReturnType<typeof ruleGroupPage> = page(
      `group_limit=2&group_next_token=${token}`,
    );
    seen.push(shown.map(({ name }) => name).join(''));
    token = groupNextToken;
  }
  expect(seen).toEqual(['ab', 'c']);
  expect(() => page('group_limit=2&group_next_token=x')).toThrow('were rule groups changed?');
  expect(() => page('group_next_token=x')).toThrow('group_limit needs to be present');
  expect(() => page('group_limit=0')).toThrow('greater than 0');
  expect(() => page('type=both')).toThrow('not supported value "both"');
});
