// Evaluates the rules of a unit test over a storage in memory, with the ruler's own steps: what a query found becomes series or
// alerts, and those that are gone end with a stale marker.

import type { FloatHistogram, Labels } from '@flotilla/model';
import { parseExpr, printExpr } from '@flotilla/promql';
import type {
  Engine,
  Expr,
  MemoryStorage,
  ParserOptions,
  Rule,
  RuleGroup,
  TemplateEnvironment,
} from '@flotilla/promql';
import { alertSeries, foundAlerts, recordedResults, stepAlerts } from '@flotilla/ruler';
import type { Alert, Alerts, QuerySample } from '@flotilla/ruler';

interface Sample extends QuerySample {
  readonly histogram?: FloatHistogram;
}

type Result = Omit<Sample, 'labels'> & { readonly labels: Labels };

interface EvaluatedRule {
  readonly rule: Rule;
  readonly group: RuleGroup;
  readonly expr: Expr;
  alerts: Alerts;
  previous: ReadonlyMap<string, Labels>;
}

export interface RuleEvaluatorOptions {
  readonly engine: Engine;
  readonly parser: ParserOptions;
  readonly storage: MemoryStorage;
  readonly externalLabels: Readonly<Record<string, string>>;
  readonly externalUrl: string;
}

export interface RuleFault {
  readonly rule: string;
  readonly reason: string;
}

export class RuleEvaluator {
  readonly #rules: readonly EvaluatedRule[];
  readonly #options: RuleEvaluatorOptions;

  /** Groups are evaluated in their order. */
  constructor(groups: readonly RuleGroup[], options: RuleEvaluatorOptions) {
    this.#options = options;
    this.#rules = groups.flatMap((group) =>
      group.rules.map((rule) => {
        // What is evaluated is the printed tree, as in the ruler.
        const expr = parseExpr(printExpr(parseExpr(rule.expr, options.parser)), options.parser);
        return { rule, group, expr, alerts: new Map<string, Alert>(), previous: new Map<string, Labels>() };
      }),
    );
  }

  /** Evaluates every rule once; what failed is in the answer. */
  async evaluate(timeMs: number): Promise<RuleFault[]> {
    const faults: RuleFault[] = [];
    for (const rule of this.#rules) {
      try {
        await this.#evaluateRule(rule, timeMs);
      } catch (error) {
        faults.push({ rule: rule.rule.alert || rule.rule.record, reason: (error as Error).message });
      }
    }
    return faults;
  }

  /** The alerts that fire, of all rules of that name. */
  firing(alertname: string): Alert[] {
    return this.#rules
      .filter(({ rule }) => rule.alert === alertname)
      .flatMap(({ alerts }) => [...alerts.values()].filter(({ state }) => state === 'firing'));
  }

  async #evaluateRule(state: EvaluatedRule, timeMs: number): Promise<void> {
    const { rule, group } = state;
    const queryMs = timeMs - group.queryOffsetMs;
    const samples = await this.#query(state.expr, queryMs);
    if (rule.record !== '') {
      const results = recordedResults(rule, group, samples);
      checkLimit(group, results.length, 'series');
      this.#record(state, results, queryMs);
      return;
    }
    const { externalLabels } = this.#options;
    const found = await foundAlerts(rule, group, samples, externalLabels, this.#environment(timeMs));
    state.alerts = stepAlerts(state.alerts, found, timeMs, rule);
    const active = [...state.alerts.values()].filter(({ state: phase }) => phase !== 'inactive');
    checkLimit(group, active.length, 'alerts');
    this.#record(state, alertSeries(state.alerts), queryMs);
  }

  #environment(timeMs: number): TemplateEnvironment {
    return {
      externalUrl: this.#options.externalUrl,
      query: (text) => this.#query(parseExpr(text, this.#options.parser), timeMs),
      nowMs: () => timeMs,
    };
  }

  /** A scalar is one sample without labels. */
  async #query(expr: Expr, timeMs: number): Promise<Sample[]> {
    const { engine, storage } = this.#options;
    const result = await engine.instant({ expr, timeMs }, storage);
    if (result.type === 'scalar') return [{ labels: {}, value: result.value }];
    if (result.type !== 'vector') throw new Error('rule result is not a vector or scalar');
    return result.series.map(({ labels, value, histogram }) => ({
      labels: labels.toRecord(),
      value,
      ...(histogram !== undefined && { histogram, isHistogram: true as const }),
    }));
  }

  #record(state: EvaluatedRule, results: readonly Result[], timeMs: number): void {
    const { storage } = this.#options;
    const current = new Map(results.map(({ labels }) => [labels.key, labels]));
    try {
      for (const { labels, value, histogram } of results) {
        if (histogram === undefined) storage.add(labels, timeMs, value);
        else storage.addHistogram(labels, timeMs, histogram);
      }
      for (const [key, labels] of state.previous) {
        if (!current.has(key)) storage.addStale(labels, timeMs);
      }
    } finally {
      state.previous = current;
    }
  }
}

function checkLimit({ limit }: RuleGroup, count: number, noun: string): void {
  if (limit > 0 && count > limit) throw new Error(`exceeded limit of ${limit} with ${count} ${noun}`);
}
