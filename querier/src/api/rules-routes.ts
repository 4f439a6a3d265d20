// /api/v1/rules, alerts and alertmanagers: the rulers evaluate the same groups, the first one that answers speaks for them.

import { Router, sendData } from '@flotilla/chassis';
import { STORE_PATHS } from '@flotilla/wire';
import type { RuleGroupStatus, RuleStatus, RulesResponse } from '@flotilla/wire';
import { askEveryStore } from './fleet-view.ts';
import { Params } from './params.ts';
import type { QueryService } from './query-service.ts';

export function rulesRoutes(service: QueryService): Router {
  const router = Router();
  router.get('/rules', async (request, response) => {
    const { groups, warnings } = await currentGroups(service);
    sendData(request, response, { groups: filterGroups(groups, new Params(request)) }, { warnings });
  });
  router.get('/alerts', async (request, response) => {
    const { groups, warnings } = await currentGroups(service);
    const alerts = groups.flatMap(({ rules }) => rules.flatMap((rule) => rule.alerts ?? []));
    sendData(request, response, { alerts }, { warnings });
  });
  router.get('/alertmanagers', (request, response) => {
    sendData(request, response, { activeAlertmanagers: [], droppedAlertmanagers: [] });
  });
  return router;
}

async function currentGroups({
  topology,
  client,
}: QueryService): Promise<{ groups: readonly RuleGroupStatus[]; warnings: string[] }> {
  const reports = await askEveryStore<RulesResponse>(topology.current(), client, 'ruler', STORE_PATHS.rules);
  const answered = reports.filter(({ value }) => value !== undefined);
  const groups =
    answered.toSorted((a, b) => freshness(b.value!) - freshness(a.value!))[0]?.value?.groups ?? [];
  const silent = answered.length === 0 ? reports : [];
  return { groups, warnings: silent.map(({ store, error }) => `${store.name}: ${error}`) };
}

/** A ruler that has just started has not evaluated yet: one that has knows more. Replicas in step count as equal. */
function freshness({ groups }: RulesResponse): number {
  return groups.reduce(
    (sum, { rules }) => sum + rules.filter(({ health }) => health !== 'unknown').length,
    0,
  );
}

function filterGroups(groups: readonly RuleGroupStatus[], params: Params): RuleGroupStatus[] {
  const type = params.get('type');
  const [names, groupNames, files] = [params.all('rule_name'), params.all('rule_group'), params.all('file')];
  const excludeAlerts = params.boolean('exclude_alerts', false);
  const wanted = ({ type: kind, name }: RuleStatus): boolean =>
    (type === '' || kind === (type === 'alert' ? 'alerting' : 'recording')) &&
    (names.length === 0 || names.includes(name));
  const view = (rule: RuleStatus): RuleStatus =>
    excludeAlerts && rule.type === 'alerting' ? { ...rule, alerts: [] } : rule;
  return groups
    .filter(
      ({ name, file }) =>
        (groupNames.length === 0 || groupNames.includes(name)) &&
        (files.length === 0 || files.includes(file)),
    )
    .map((group) => ({ ...group, rules: group.rules.filter(wanted).map(view) }))
    .filter(({ rules }) => rules.length > 0 || (type === '' && names.length === 0));
}
