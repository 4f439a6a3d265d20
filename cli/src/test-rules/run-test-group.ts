// Runs one group of unit tests: input and rules step by step, alerts checked as they are at their times, expressions at the end.

import { goQuote, histogramText } from '@flotilla/model';
import { Engine, MemoryStorage } from '@flotilla/promql';
import type { MatrixSeries, ParserOptions, RuleGroup } from '@flotilla/promql';
import type { Printer } from '../query.ts';
import { compareAlerts, compareSamples, exprWhere } from './expectations.ts';
import { goDuration } from './go-duration.ts';
import { InputSeries } from './input-series.ts';
import { RuleEvaluator } from './rule-evaluator.ts';
import type { TestGroup } from './unit-test-file.ts';

export interface GroupOptions {
  readonly groups: readonly RuleGroup[];
  readonly evaluationIntervalMs: number;
  readonly fuzzyCompare: boolean;
  readonly diff: boolean;
  readonly parser: ParserOptions;
  readonly delayedNameRemoval: boolean;
  /** Absent: the data is not dumped. */
  readonly debug?: Printer;
}

/** Everything that is wrong, in promtool's words; empty if the tests pass. */
export async function runTestGroup(test: TestGroup, options: GroupOptions): Promise<string[]> {
  const nameless = test.alertTests.find(({ alertname }) => alertname === '');
  if (nameless !== undefined) {
    const where = test.name === '' ? '' : ` (in TestGroup ${test.name})`;
    const time = goDuration(nameless.evalTimeMs);
    return [`an item under alert_rule_test misses required attribute alertname at eval_time ${time}${where}`];
  }
  let run: GroupRun;
  try {
    run = new GroupRun(test, options);
  } catch (error) {
    return [(error as Error).message];
  }
  await run.run();
  return run.faults;
}

class GroupRun {
  readonly faults: string[] = [];
  readonly #test: TestGroup;
  readonly #options: GroupOptions;
  readonly #storage = new MemoryStorage();
  readonly #engine: Engine;
  readonly #input: InputSeries;
  readonly #rules: RuleEvaluator;

  /** Throws for a series or a rule that cannot be parsed. */
  constructor(test: TestGroup, options: GroupOptions) {
    const { evaluationIntervalMs, parser, delayedNameRemoval } = options;
    this.#test = test;
    this.#options = options;
    this.#engine = new Engine({ defaultIntervalMs: evaluationIntervalMs, parser, delayedNameRemoval });
    this.#input = new InputSeries(test);
    this.#rules = new RuleEvaluator(options.groups, {
      engine: this.#engine,
      parser,
      storage: this.#storage,
      externalLabels: test.externalLabels,
      externalUrl: test.externalUrl,
    });
  }

  async run(): Promise<void> {
    const { alertTests, exprTests } = this.#test;
    const lastMs = Math.max(0, ...[...alertTests, ...exprTests].map(({ evalTimeMs }) => evalTimeMs));
    for (let atMs = 0; atMs <= lastMs; atMs += this.#options.evaluationIntervalMs) {
      if (!(await this.#step(atMs))) return;
      this.#checkAlerts(atMs);
    }
    for (const one of exprTests) await this.#checkExpr(one);
    if (this.#options.debug !== undefined) await this.#dump(lastMs, this.#options.debug);
  }

  /** False when a rule failed, which ends the test. Times count from the start. */
  async #step(atMs: number): Promise<boolean> {
    const timeMs = this.#test.startMs + atMs;
    try {
      this.#input.loadUntil(timeMs, this.#storage);
    } catch (error) {
      this.faults.push((error as Error).message);
      return true;
    }
    const faults = await this.#rules.evaluate(timeMs);
    for (const { rule, reason } of faults)
      this.faults.push(`    rule: ${rule}, time: ${goDuration(timeMs)}, err: ${reason}`);
    return faults.length === 0;
  }

  /** Of the tests whose time is before the next evaluation. */
  #checkAlerts(atMs: number): void {
    const due = this.#test.alertTests
      .filter(({ evalTimeMs: t }) => t >= atMs && t < atMs + this.#options.evaluationIntervalMs)
      .toSorted((a, b) => a.evalTimeMs - b.evalTimeMs);
    for (const one of due) {
      const firing = this.#rules.firing(one.alertname);
      const fault = compareAlerts(one, firing, this.#test.name, this.#options.diff);
      if (fault !== undefined) this.faults.push(fault);
    }
  }

  async #checkExpr(one: TestGroup['exprTests'][number]): Promise<void> {
    const timeMs = this.#test.startMs + one.evalTimeMs;
    try {
      const result = await this.#engine.instant({ expr: one.expr, timeMs }, this.#storage);
      const fault = compareSamples(one, result, this.#options.fuzzyCompare);
      if (fault !== undefined) this.faults.push(fault);
    } catch (error) {
      this.faults.push(`${exprWhere(one)} err: ${(error as Error).message}`);
    }
  }

  /** All data of the test. */
  async #dump(lastMs: number, debug: Printer): Promise<void> {
    const seconds = Math.floor(lastMs / 1000) + 1;
    const expr = `{__name__=~".+"}[${seconds}s]`;
    const timeMs = this.#test.startMs + seconds * 1000;
    try {
      const result = await this.#engine.instant({ expr, timeMs }, this.#storage);
      if (result.type !== 'matrix') return;
      debug.err(`DEBUG: Dump of all data (input_series and rules) at ${goDuration(seconds * 1000)}:`);
      debug.err(result.series.map(seriesText).join('\n'));
    } catch (error) {
      debug.err(`DEBUG: Failed query exec, expr: ${goQuote(expr)}, err: ${(error as Error).message}`);
    }
  }
}

/** The metric, then a line for each sample: its value and when. */
function seriesText({ labels, timestampsMs, values, histograms = [] }: MatrixSeries): string {
  const floats = Array.from(timestampsMs, (timeMs, i) => `${values[i]} @[${timeMs}]`);
  const natives = histograms.map(({ timeMs, histogram }) => `${histogramText(histogram)} @[${timeMs}]`);
  return [`${labels.toMetric()} =>`, ...floats, ...natives].join('\n');
}
