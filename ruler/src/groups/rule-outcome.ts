// What a rule's query found, as the series or alerts that it stands for.

import { Labels, LabelsBuilder, METRIC_NAME } from '@flotilla/model';
import type { Rule, RuleGroup } from '@flotilla/promql';
import type { Alert, Alerts, Found } from '../alerts/alert-state.ts';
import type { QuerySample } from '../query/query-client.ts';
import { expandTemplate } from '@flotilla/promql';
import type { TemplateEnvironment } from '@flotilla/promql';
import type { Result } from './recorder.ts';

/** Series of a recording rule: the samples under their new labels. Throws when two come out equal. */
export function recordedResults<T extends QuerySample>(
  rule: Rule,
  group: RuleGroup,
  samples: readonly T[],
): (Omit<T, 'labels'> & Result)[] {
  const results = samples.map((sample) => {
    const builder = new LabelsBuilder(Labels.fromRecord(sample.labels));
    builder.set(METRIC_NAME, rule.record);
    for (const [name, text] of Object.entries({ ...group.labels, ...rule.labels })) builder.set(name, text);
    return { ...sample, labels: builder.labels() };
  });
  if (new Set(results.map(({ labels }) => labels.key)).size < results.length) {
    throw new Error('vector contains metrics with the same labelset after applying rule labels');
  }
  return results;
}

/** Alerts that the query found, with labels and annotations expanded. Throws when two come out equal. */
export async function foundAlerts(
  rule: Rule,
  group: RuleGroup,
  samples: readonly QuerySample[],
  externalLabels: Readonly<Record<string, string>>,
  environment: TemplateEnvironment,
): Promise<Found> {
  const found = new Map<string, Pick<Alert, 'labels' | 'annotations' | 'value'>>();
  for (const { labels, value } of samples) {
    const data = { labels, externalLabels, value };
    const expand = async (texts: Readonly<Record<string, string>>): Promise<Record<string, string>> => {
      const entries = Object.entries(texts).map(
        async ([name, text]) =>
          [name, await expandTemplate(`__alert_${rule.alert}`, text, data, environment)] as const,
      );
      return Object.fromEntries(await Promise.all(entries));
    };
    const all = Labels.fromRecord({
      ...labels,
      ...(await expand({ ...group.labels, ...rule.labels })),
      alertname: rule.alert,
      [METRIC_NAME]: '',
    });
    if (found.has(all.key))
      throw new Error('vector contains metrics with the same labelset after applying alert labels');
    found.set(all.key, { labels: all.toRecord(), annotations: await expand(rule.annotations), value });
  }
  return found;
}

/** ALERTS and ALERTS_FOR_STATE of the alerts that are active. */
export function alertSeries(alerts: Alerts): Result[] {
  return [...alerts.values()]
    .filter(({ state }) => state !== 'inactive')
    .flatMap(({ labels, state, activeAtMs }) => [
      { labels: Labels.fromRecord({ ...labels, [METRIC_NAME]: 'ALERTS', alertstate: state }), value: 1 },
      {
        labels: Labels.fromRecord({ ...labels, [METRIC_NAME]: 'ALERTS_FOR_STATE' }),
        value: Math.floor(activeAtMs / 1000),
      },
    ]);
}
