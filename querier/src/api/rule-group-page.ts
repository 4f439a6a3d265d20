// Which groups and rules /api/v1/rules shows: by its filters, and page by page, as Prometheus does.

import { Labels } from '@flotilla/model';
import type { Matcher } from '@flotilla/model';
import type { RuleGroupStatus, RuleStatus } from '@flotilla/wire';
import { createHash } from 'node:crypto';
import { invalid } from '../evaluation/query-texts.ts';
import type { Params } from './params.ts';

/** Alerts that were not asked for are null. */
export interface RuleGroupView extends Omit<RuleGroupStatus, 'rules'> {
  readonly rules: readonly (Omit<RuleStatus, 'alerts'> & { readonly alerts?: RuleStatus['alerts'] | null })[];
}

export interface RuleGroupPage {
  readonly groups: readonly RuleGroupView[];
  /** Absent on the last page. */
  readonly groupNextToken?: string;
}

/** Throws ApiError for parameters that are wrong. */
export function ruleGroupPage(groups: readonly RuleGroupStatus[], params: Params): RuleGroupPage {
  const wanted = ruleFilter(params);
  const excludeAlerts = params.boolean('exclude_alerts', false);
  const { max, token } = pagination(params);
  const first = token === '' ? 0 : groups.findIndex((group) => tokenOf(group) === token);
  if (first < 0)
    throw invalid('group_next_token', `invalid group_next_token '${token}'. were rule groups changed?`);
  const [names, files] = [params.all('rule_group'), params.all('file')];
  const shown = groups
    .slice(first)
    .filter(({ name, file }) => isAmong(names, name) && isAmong(files, file))
    .map((group) => ({ ...group, rules: group.rules.filter(wanted) }))
    .filter(({ rules }) => rules.length > 0);
  const page = shown.slice(0, max).map((group) => (excludeAlerts ? withoutAlerts(group) : group));
  const next = shown[max];
  return { groups: page, ...(next !== undefined && { groupNextToken: tokenOf(next) }) };
}

function ruleFilter(params: Params): (rule: RuleStatus) => boolean {
  const type = params.get('type').toLowerCase();
  if (!['', 'alert', 'record'].includes(type)) throw invalid('type', `not supported value "${type}"`);
  const names = params.all('rule_name');
  const sets = params.matcherSets();
  return ({ type: kind, name, labels }) =>
    (type === '' || kind === (type === 'alert' ? 'alerting' : 'recording')) &&
    isAmong(names, name) &&
    (sets.length === 0 || sets.some((matchers) => matchesAll(matchers, Labels.fromRecord(labels))));
}

function matchesAll(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every((matcher) => matcher.matches(labels.get(matcher.name)));
}

function pagination(params: Params): { max: number; token: string } {
  const [limit, token] = [params.get('group_limit'), params.get('group_next_token')];
  if (limit === '') {
    if (token === '') return { max: Infinity, token };
    throw invalid('group_next_token', 'group_limit needs to be present in order to paginate over the groups');
  }
  const max = /^[+-]?\d+$/.test(limit) ? Number(limit) : NaN;
  if (Number.isNaN(max)) {
    const reason = `strconv.ParseInt: parsing ${JSON.stringify(limit)}: invalid syntax`;
    throw invalid('group_limit', `group_limit needs to be a valid number: ${reason}`);
  }
  if (max <= 0) throw invalid('group_limit', 'group_limit needs to be greater than 0');
  return { max, token };
}

/** Where a page begins. */
function tokenOf({ file, name }: RuleGroupStatus): string {
  return createHash('sha256').update(`${file};${name}`).digest('hex');
}

/** An empty list lets all pass. */
function isAmong(list: readonly string[], text: string): boolean {
  return list.length === 0 || list.includes(text);
}

function withoutAlerts(group: RuleGroupStatus): RuleGroupView {
  const rules = group.rules.map((rule) => (rule.type === 'alerting' ? { ...rule, alerts: null } : rule));
  return { ...group, rules };
}
