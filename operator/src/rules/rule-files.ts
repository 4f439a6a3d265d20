// From PrometheusRules to Prometheus's rule files.

import { compareUtf8 } from '@flotilla/model';
import { dump } from 'js-yaml';
import type { RuleFileText } from '../discovery/findings.ts';
import type { CheckedRules } from './checked-rules.ts';

/** One file per object, named after it; `_` cannot occur in a Kubernetes name, so that no two can collide. */
export function ruleFiles(rules: readonly CheckedRules[]): RuleFileText[] {
  return rules
    .map(({ namespace, name, groups }) => ({
      file: `${namespace}_${name}.yaml`,
      text: dump(JSON.parse(JSON.stringify({ groups })), { lineWidth: -1, noRefs: true }),
    }))
    .toSorted((a, b) => compareUtf8(a.file, b.file));
}
