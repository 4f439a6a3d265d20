// What each side has Prometheus evaluate: groups of rules by the object that they are of, expressions in one spelling.

import { parseExpr, printExpr } from '@flotilla/promql';
import type { RulesFeed } from '@flotilla/wire';
import { load } from 'js-yaml';
import type { KubeClient } from './kube-client.ts';
import { oracleName, oracleNamespace } from './prometheus-operator.ts';
import type { RulesView } from './view.ts';

interface Named {
  readonly metadata: { readonly namespace: string; readonly name: string; readonly uid: string };
}

interface GroupYaml {
  readonly rules?: readonly { readonly expr: string | number; readonly for?: string }[];
  readonly [field: string]: unknown;
}

/** From the ConfigMaps that its pods would mount; files are `<namespace>-<name>-<uid>.yaml`. */
export async function oracleRules(client: KubeClient): Promise<RulesView> {
  const [maps, objects] = await Promise.all([
    client.get<{ items: readonly (Named & { readonly data?: Readonly<Record<string, string>> })[] }>(
      `/api/v1/namespaces/${oracleNamespace}/configmaps`,
    ),
    client.get<{ items: readonly Named[] }>('/apis/monitoring.coreos.com/v1/prometheusrules'),
  ]);
  const names = new Map(
    objects.items.map(({ metadata: { namespace, name, uid } }) => [
      `${namespace}-${name}-${uid}.yaml`,
      `PrometheusRule ${namespace}/${name}`,
    ]),
  );
  const files = maps.items
    .filter(({ metadata }) => metadata.name.startsWith(`prometheus-${oracleName}-rulefiles-`))
    .flatMap(({ data = {} }) => Object.entries(data));
  return new Map(files.map(([file, text]) => [names.get(file) ?? file, groupsOf(text)]));
}

/** From what rulers get; files are `<namespace>_<name>.yaml`. */
export function flotillaRules({ files }: RulesFeed): RulesView {
  return new Map(
    files.map(({ file, text }) => [
      `PrometheusRule ${file.replace('_', '/').replace(/\.yaml$/, '')}`,
      groupsOf(text),
    ]),
  );
}

function groupsOf(text: string): unknown {
  const { groups } = load(text) as { groups?: readonly GroupYaml[] };
  return (groups ?? []).map(({ rules = [], ...group }) => ({
    ...group,
    rules: rules.map((rule) => ({
      ...rule,
      expr: oneSpelling(`${rule.expr}`),
      // Empty means none.
      for: rule.for || undefined,
    })),
  }));
}

/** Matchers in the order of their text. No expression of this world has a brace or comma within one. */
function oneSpelling(expr: string): string {
  return printExpr(parseExpr(expr)).replaceAll(
    /\{([^}]*)\}/g,
    (_, matchers: string) => `{${matchers.split(',').toSorted().join(',')}}`,
  );
}
