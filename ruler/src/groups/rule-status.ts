// The state of all groups as Prometheus's /api/v1/rules has it.

import type { AlertStatus, RuleGroupStatus, RuleStatus } from '@flotilla/wire';
import type { Alert } from '../alerts/alert-state.ts';
import type { GroupEvaluator, RuleState } from './group-evaluator.ts';

const never = '0001-01-01T00:00:00Z';

export function groupStatus({
  file,
  group,
  intervalMs,
  evaluationSeconds,
  lastEvaluationMs,
  rules,
}: GroupEvaluator): RuleGroupStatus {
  return {
    name: group.name,
    file,
    interval: intervalMs / 1000,
    limit: group.limit,
    evaluationTime: evaluationSeconds,
    lastEvaluation: timeText(lastEvaluationMs),
    rules: rules.map((state) => ruleStatus(state, group.labels)),
  };
}

function ruleStatus(state: RuleState, groupLabels: Readonly<Record<string, string>>): RuleStatus {
  const { rule, expr, health, lastError, evaluationSeconds, lastEvaluationMs } = state;
  const common = {
    name: rule.alert || rule.record,
    query: expr,
    labels: { ...groupLabels, ...rule.labels },
    health,
    ...(lastError !== '' && { lastError }),
    evaluationTime: evaluationSeconds,
    lastEvaluation: timeText(lastEvaluationMs),
  };
  if (rule.record !== '') return { type: 'recording', ...common };
  const active = [...state.alerts.values()].filter((alert) => alert.state !== 'inactive');
  return {
    type: 'alerting',
    ...common,
    state: stateOf(active, health),
    duration: rule.forMs / 1000,
    keepFiringFor: rule.keepFiringForMs / 1000,
    annotations: rule.annotations,
    alerts: active.map(alertStatus),
  };
}

function stateOf(active: readonly Alert[], health: string): NonNullable<RuleStatus['state']> {
  if (active.some(({ state }) => state === 'firing')) return 'firing';
  if (active.length > 0) return 'pending';
  return health === 'unknown' ? 'unknown' : 'inactive';
}

function alertStatus({
  labels,
  annotations,
  state,
  activeAtMs,
  keepFiringSinceMs,
  value,
}: Alert): AlertStatus {
  return {
    labels,
    annotations,
    state: state === 'firing' ? 'firing' : 'pending',
    activeAt: timeText(activeAtMs),
    ...(keepFiringSinceMs !== 0 && { keepFiringSince: timeText(keepFiringSinceMs) }),
    value: exponentForm(value),
  };
}

/** Go's strconv 'e' with the shortest digits: 1e+00 */
function exponentForm(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}

function timeText(timeMs: number): string {
  return timeMs === 0 ? never : new Date(timeMs).toISOString();
}
