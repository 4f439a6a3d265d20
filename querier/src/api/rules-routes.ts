// /api/v1/rules, alerts and alertmanagers: the rulers evaluate the same groups, the first one that answers speaks for them.

import { Router, sendData } from '@flotilla/chassis';
import { STORE_PATHS } from '@flotilla/wire';
import type { RulesResponse } from '@flotilla/wire';
import { askEveryStore } from './fleet-view.ts';
import { Params } from './params.ts';
import type { QueryService } from './query-service.ts';
import { ruleGroupPage } from './rule-group-page.ts';

export function rulesRoutes(service: QueryService): Router {
  const router = Router();
  router.get('/rules', async (request, response) => {
    const { groups, warnings } = await currentRules(service);
    sendData(request, response, ruleGroupPage(groups, new Params(request)), { warnings });
  });
  router.get('/alerts', async (request, response) => {
    const { groups, warnings } = await currentRules(service);
    const alerts = groups.flatMap(({ rules }) => rules.flatMap((rule) => rule.alerts ?? []));
    sendData(request, response, { alerts }, { warnings });
  });
  router.get('/alertmanagers', async (request, response) => {
    const { alertmanagers, warnings } = await currentRules(service);
    const activeAlertmanagers = (alertmanagers ?? []).map((url) => ({ url }));
    sendData(request, response, { activeAlertmanagers, droppedAlertmanagers: [] }, { warnings });
  });
  return router;
}

type CurrentRules = Pick<RulesResponse, 'groups' | 'alertmanagers'> & {
  readonly warnings: readonly string[];
};

async function currentRules({ topology, client }: QueryService): Promise<CurrentRules> {
  const reports = await askEveryStore<RulesResponse>(topology.current(), client, 'ruler', STORE_PATHS.rules);
  const answered = reports.filter(({ value }) => value !== undefined);
  const first = answered.toSorted((a, b) => freshness(b.value!) - freshness(a.value!))[0]?.value;
  const silent = answered.length === 0 ? reports : [];
  const warnings = silent.map(({ store, error }) => `${store.name}: ${error}`);
  return { groups: [], ...first, warnings };
}

/** A ruler that has just started has not evaluated yet: one that has knows more. Replicas in step count as equal. */
function freshness({ groups }: RulesResponse): number {
  return groups.reduce(
    (sum, { rules }) => sum + rules.filter(({ health }) => health !== 'unknown').length,
    0,
  );
}
