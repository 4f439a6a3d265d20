// From PrometheusRules to Prometheus's rule files. PromQL itself is checked by the rulers, which report what they refuse.

import { compareUtf8 } from '@flotilla/model';
import { dump } from 'js-yaml';
import type { RuleFileText } from '../discovery/discovery.ts';
import type { ObjectOf } from '../objects/kinds.ts';

/** One file per object, named after it; `_` cannot occur in a Kubernetes name, so that no two can collide. */
export function ruleFiles(rules: readonly ObjectOf<'PrometheusRule'>[]): RuleFileText[] {
  return rules
    .map(({ metadata, spec }) => ({
      file: `${metadata.namespace}_${metadata.name}.yaml`,
      text: ruleFileText(spec.groups),
    }))
    .toSorted((a, b) => compareUtf8(a.file, b.file));
}

function ruleFileText(groups: ObjectOf<'PrometheusRule'>['spec']['groups']): string {
  const plain = groups.map((group) => ({ ...group, partial_response_strategy: undefined }));
  return dump(JSON.parse(JSON.stringify({ groups: plain })), { lineWidth: -1, noRefs: true });
}
