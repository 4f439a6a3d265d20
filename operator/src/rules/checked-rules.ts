// A PrometheusRule, checked as Prometheus would check its rule file, and kept within its namespace where the Fleet asks for that.

import { parseRuleFile } from '@flotilla/promql';
import type { FleetSpec } from '../discovery/fleet-spec.ts';
import { isEnforced } from '../monitors/enforcement.ts';
import type { ObjectOf } from '../objects/kinds.ts';
import type { RuleGroupSpec } from '../objects/monitoring-schema.ts';
import { enforceRules } from './enforce-rules.ts';

export interface CheckedRules {
  readonly namespace: string;
  readonly name: string;
  readonly groups: readonly RuleGroupSpec[];
}

const bytesMax = 512 << 10;
const errorsShown = 3;

/** Throws RangeError for what must refuse the object: one bad rule refuses all of it, as in the Prometheus operator. */
export function checkedRules({ metadata, spec }: ObjectOf<'PrometheusRule'>, fleet: FleetSpec): CheckedRules {
  const { namespace, name } = metadata;
  const groups = spec.groups.map(plainGroup);
  const document: unknown = JSON.parse(JSON.stringify({ groups }));
  const sizeBytes = Buffer.byteLength(JSON.stringify(document));
  if (sizeBytes > bytesMax) throw new RangeError(`rules: ${sizeBytes} bytes, want at most ${bytesMax}`);
  const { errors } = parseRuleFile(document);
  if (errors.length > 0) {
    const shown = errors.slice(0, errorsShown).map(({ path, message }) => `${path.join('.')}: ${message}`);
    const rest = errors.length > errorsShown ? `; and ${errors.length - errorsShown} more` : '';
    throw new RangeError(shown.join('; ') + rest);
  }
  const label = fleet.enforcedNamespaceLabel;
  if (!isEnforced(fleet, 'prometheusrules', namespace, name)) return { namespace, name, groups };
  return { namespace, name, groups: enforceRules(groups, label, namespace) };
}

/** Empty durations mean not given; a strategy for partial answers is Thanos's. */
function plainGroup(group: RuleGroupSpec): RuleGroupSpec {
  const { partial_response_strategy: _, interval, ...rest } = group;
  const rules = group.rules.map(({ for: forText, ...rule }) => ({
    ...rule,
    ...(forText && { for: forText }),
  }));
  return { ...rest, rules, ...(interval && { interval }) };
}
