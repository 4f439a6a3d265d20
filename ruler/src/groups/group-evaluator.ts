// One rule group: evaluates its rules in order at a slot, keeps their state, records results, sends alerts.
//
// A rule whose query fails, or whose answer is incomplete, holds everything: no state changes, no stale markers, nothing resolves.
// Alerts that fire are sent again meanwhile, so that they do not expire in Alertmanager (docs/decisions/0004-hold-on-incomplete.md).

import { errorText } from '@flotilla/chassis';
import type { Logger } from '@flotilla/chassis';
import { Labels, METRIC_NAME, murmur3, Unavailable } from '@flotilla/model';
import { parseExpr, printExpr } from '@flotilla/promql';
import type { Rule, RuleGroup } from '@flotilla/promql';
import type { Schedule, Tsdb } from '@flotilla/tsdb';
import { isDue, restoredActiveAt, stepAlerts } from '../alerts/alert-state.ts';
import type { Alert, Alerts } from '../alerts/alert-state.ts';
import type { Notification, Notifier } from '../notify/notifier.ts';
import type { QueryClient, QuerySample } from '../query/query-client.ts';
import { graphPath } from '@flotilla/promql';
import type { TemplateEnvironment } from '@flotilla/promql';
import { Recorder } from './recorder.ts';
import { alertSeries, foundAlerts, recordedResults } from './rule-outcome.ts';
import type { RulerCounters } from './ruler-counters.ts';

export interface EvaluatorOptions {
  readonly tsdb: Tsdb;
  readonly query: QueryClient;
  readonly notifier: Notifier;
  readonly counters: RulerCounters;
  readonly log: Logger;
  readonly externalLabels: Readonly<Record<string, string>>;
  readonly externalUrl: string;
  readonly defaultIntervalMs: number;
  readonly outageToleranceMs: number;
  readonly gracePeriodMs: number;
  readonly resendDelayMs: number;
}

export interface RuleState {
  readonly rule: Rule;
  /** The printed tree, which is what is sent and shown. */
  readonly expr: string;
  readonly recorder: Recorder;
  alerts: Alerts;
  isRestored: boolean;
  health: 'ok' | 'err' | 'unknown';
  lastError: string;
  evaluationSeconds: number;
  lastEvaluationMs: number;
}

const retriesMax = 3;
const queryTimeoutMaxMs = 30_000;

export class GroupEvaluator {
  readonly file: string;
  readonly group: RuleGroup;
  readonly intervalMs: number;
  readonly schedule: Schedule;
  readonly rules: readonly RuleState[];
  evaluationSeconds = 0;
  lastEvaluationMs = 0;
  readonly #options: EvaluatorOptions;

  /** `before` is the same group of an earlier file: rules that are equal keep their state. */
  constructor(file: string, group: RuleGroup, options: EvaluatorOptions, before: GroupEvaluator | undefined) {
    this.file = file;
    this.group = group;
    this.#options = options;
    this.intervalMs = group.intervalMs || options.defaultIntervalMs;
    const targetId = murmur3(`rulegroup/${file}/${group.name}`) || 1;
    this.schedule = { targetId, intervalMs: this.intervalMs, phaseMs: targetId % this.intervalMs };
    const spare = [...(before?.rules ?? [])];
    this.rules = group.rules.map((rule) => this.#stateOf(rule, spare));
  }

  /** Evaluates all rules at a slot. Never rejects. */
  async evaluate(slotMs: number): Promise<void> {
    const startMs = performance.now();
    for (const state of this.rules) await this.#evaluateRule(state, slotMs);
    this.evaluationSeconds = (performance.now() - startMs) / 1000;
    this.lastEvaluationMs = slotMs;
  }

  /** Writes stale markers for all results, when the group is gone. */
  end(timeMs: number): void {
    for (const { recorder } of this.rules) recorder.end(timeMs);
  }

  #stateOf(rule: Rule, spare: RuleState[]): RuleState {
    const same = (state: RuleState): boolean =>
      state.rule.alert === rule.alert &&
      state.rule.record === rule.record &&
      JSON.stringify(state.rule.labels) === JSON.stringify(rule.labels);
    const index = spare.findIndex(same);
    const [kept] = index < 0 ? [] : spare.splice(index, 1);
    return {
      rule,
      expr: printExpr(parseExpr(rule.expr)),
      recorder: kept?.recorder ?? new Recorder(this.#options.tsdb, this.schedule),
      alerts: kept?.alerts ?? new Map(),
      isRestored: kept?.isRestored ?? rule.forMs === 0,
      health: kept?.health ?? 'unknown',
      lastError: '',
      evaluationSeconds: 0,
      lastEvaluationMs: kept?.lastEvaluationMs ?? 0,
    };
  }

  async #evaluateRule(state: RuleState, slotMs: number): Promise<void> {
    const { counters, log } = this.#options;
    const startMs = performance.now();
    counters.evaluations++;
    try {
      if (state.rule.alert !== '' && !state.isRestored) await this.#restore(state, slotMs);
      const samples = await this.#ask(state.expr, slotMs - this.group.queryOffsetMs);
      await this.#apply(state, samples, slotMs);
      state.health = 'ok';
      state.lastError = '';
    } catch (error) {
      counters.failures++;
      if (error instanceof Unavailable) counters.incomplete++;
      const reason = errorText(error);
      const fields = { group: this.group.name, rule: state.rule.alert || state.rule.record, err: reason };
      if (state.lastError !== reason) log.warn('rule not evaluated, holding its state', fields);
      state.health = 'err';
      state.lastError = reason;
    }
    if (state.rule.alert !== '') this.#send(state, slotMs);
    state.evaluationSeconds = (performance.now() - startMs) / 1000;
    state.lastEvaluationMs = slotMs;
  }

  /** An incomplete answer is asked for again within the slot. */
  async #ask(expr: string, timeMs: number, lookbackMs = 0): Promise<readonly QuerySample[]> {
    const timeoutMs = queryTimeout(this.intervalMs);
    for (let attempt = 1; ; attempt++) {
      try {
        return (await this.#options.query.instant(expr, timeMs, timeoutMs, lookbackMs)).samples;
      } catch (error) {
        if (!(error instanceof Unavailable) || attempt === retriesMax) throw error;
        await new Promise((resolve) => setTimeout(resolve, (this.intervalMs / 10) * (0.5 + Math.random())));
      }
    }
  }

  async #apply(state: RuleState, samples: readonly QuerySample[], slotMs: number): Promise<void> {
    const { rule, recorder } = state;
    const timeMs = slotMs - this.group.queryOffsetMs;
    if (rule.record !== '') {
      const results = recordedResults(rule, this.group, samples);
      this.#checkLimit(results.length);
      recorder.record(results, timeMs);
      return;
    }
    const found = await foundAlerts(
      rule,
      this.group,
      samples,
      this.#options.externalLabels,
      this.#environment(slotMs),
    );
    this.#checkLimit(found.size);
    const alerts = stepAlerts(state.alerts, found, slotMs, rule);
    recorder.record(alertSeries(alerts), timeMs);
    state.alerts = alerts;
  }

  #checkLimit(count: number): void {
    const { limit } = this.group;
    if (limit > 0 && count > limit)
      throw new Error(`exceeded limit of ${limit} with ${count} series or alerts`);
  }

  #environment(slotMs: number): TemplateEnvironment {
    return {
      externalUrl: this.#options.externalUrl,
      query: (expr) => this.#ask(expr, slotMs),
      nowMs: () => slotMs,
    };
  }

  /** Takes up `for` where it was before the restart. Throws while the answer is not whole: starting from zero would be silent loss. */
  async #restore(state: RuleState, slotMs: number): Promise<void> {
    const { outageToleranceMs, gracePeriodMs } = this.#options;
    const { rule } = state;
    const selector = `ALERTS_FOR_STATE{alertname=${JSON.stringify(rule.alert)}}`;
    const [actives, times] = await Promise.all([
      this.#ask(selector, slotMs, outageToleranceMs),
      this.#ask(`timestamp(${selector})`, slotMs, outageToleranceMs),
    ]);
    const keyOf = ({ labels }: QuerySample): Labels => Labels.fromRecord({ ...labels, [METRIC_NAME]: '' });
    const lastSeenMs = new Map(times.map((sample) => [keyOf(sample).key, sample.value * 1000]));
    const alerts = new Map(state.alerts);
    for (const sample of actives) {
      const labels = keyOf(sample);
      // Prometheus leaves no grace to alerts whose `for` is shorter than the grace period.
      const grace = rule.forMs < gracePeriodMs ? 0 : gracePeriodMs;
      const restore = { forMs: rule.forMs, gracePeriodMs: grace, nowMs: slotMs };
      const activeAtMs = restoredActiveAt(sample.value * 1000, lastSeenMs.get(labels.key) ?? slotMs, restore);
      alerts.set(labels.key, restoredAlert(labels, activeAtMs));
    }
    state.alerts = alerts;
    state.isRestored = true;
  }

  #send(state: RuleState, slotMs: number): void {
    const { notifier, resendDelayMs, externalLabels, externalUrl } = this.#options;
    const due = [...state.alerts].filter(([, alert]) => isDue(alert, slotMs, resendDelayMs));
    if (due.length === 0) return;
    const alerts = new Map(state.alerts);
    for (const [key, alert] of due) alerts.set(key, { ...alert, lastSentAtMs: slotMs });
    state.alerts = alerts;
    const validUntilMs = slotMs + 4 * Math.max(this.intervalMs, resendDelayMs);
    const generatorURL = externalUrl.replace(/\/$/, '') + graphPath(state.expr, 1);
    notifier.send(due.map(([, alert]) => toNotification(alert, externalLabels, validUntilMs, generatorURL)));
  }
}

function restoredAlert(labels: Labels, activeAtMs: number): Alert {
  return {
    labels: labels.toRecord(),
    annotations: {},
    value: 0,
    state: 'pending',
    activeAtMs,
    firedAtMs: 0,
    resolvedAtMs: 0,
    keepFiringSinceMs: 0,
    lastSentAtMs: 0,
  };
}

function toNotification(
  alert: Alert,
  externalLabels: Readonly<Record<string, string>>,
  validUntilMs: number,
  generatorURL: string,
): Notification {
  return {
    labels: { ...externalLabels, ...alert.labels },
    annotations: alert.annotations,
    startsAt: new Date(alert.firedAtMs).toISOString(),
    endsAt: new Date(alert.resolvedAtMs || validUntilMs).toISOString(),
    generatorURL,
  };
}

/** Half an interval, so that another querier can be asked in the slot; of short ones most, since a dead store costs a second. */
function queryTimeout(intervalMs: number): number {
  return Math.min(Math.max(intervalMs / 2, Math.min(intervalMs * 0.9, 5000), 1000), queryTimeoutMaxMs);
}
