// Runs files of the test language against the engine and a memory storage.
//
// As promqltest does, each instant query is also run with `@` on its selectors at several times, and as the middle step
// of a range query. A statement that fails because it is about native histograms or start timestamps, which the engine
// does not have, counts as skipped, with that reason.

import { Labels, LabelsBuilder, METRIC_NAME } from '@flotilla/model';
import type { Expr } from '../ast.ts';
import { Engine, type EngineOptions } from '../engine/engine.ts';
import { MemoryStorage } from '../engine/memory-storage.ts';
import type { QueryResult } from '../engine/result.ts';
import { parseExpr } from '../parser/parse.ts';
import { selectors, walk } from '../parser/traverse.ts';
import { compareAnnotations, compareResult, compareVector, unsortedSeries } from './compare.ts';
import { parseTest } from './parse-test.ts';
import { pinnedQueries, type PinnedQuery } from './pinned.ts';
import type { SeriesDescription } from './sequence.ts';
import { type EvalStatement, isHistogram, type LoadStatement, matchesPattern } from './statement.ts';

export interface TestOutcome {
  readonly line: number;
  readonly expr: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  /** Why, unless it passed. */
  readonly reason: string;
}

const PARSER = {
  experimentalFunctions: true,
  extendedRangeSelectors: true,
  binopFillModifiers: true,
  durationExpressions: true,
};

/** What the files take for granted. */
const ENGINE: EngineOptions = { maxSamples: 50_000_000, delayedNameRemoval: true, parser: PARSER };

const WINDOW_CALL = /(?:start|end|range|step)\(\)/;

/** Every `eval` of a file, in order. Throws SyntaxError for a file that is not of the language. */
export async function runTest(text: string, options: EngineOptions = ENGINE): Promise<TestOutcome[]> {
  const runner = new Runner({ ...ENGINE, ...options });
  const outcomes: TestOutcome[] = [];
  for (const statement of parseTest(text)) {
    if (statement.kind === 'clear') runner.clear();
    else if (statement.kind === 'load') runner.load(statement);
    else outcomes.push(await runner.evaluate(statement));
  }
  return outcomes;
}

class Runner {
  private readonly engine: Engine;
  private readonly storage = new MemoryStorage();
  /** Series that are not in the storage as the file means them, and why. */
  private readonly absent = new Map<Labels, string>();

  constructor(options: EngineOptions) {
    this.engine = new Engine(options);
  }

  clear(): void {
    this.storage.clear();
    this.absent.clear();
  }

  load(statement: LoadStatement): void {
    // Of two lines for one series the later one counts.
    const series = new Map(statement.series.map((one) => [one.labels.key, one]));
    for (const one of series.values()) this.loadOne(one, statement);
    for (const labels of statement.startTimes) this.absent.set(labels, 'start timestamps');
  }

  private loadOne(series: SeriesDescription, statement: LoadStatement): void {
    if (series.items.some(isHistogram)) this.absent.set(series.labels, 'native histograms');
    if (statement.withNative) this.absent.set(nativeLabels(series.labels), 'native histograms');
    this.loadSeries(series, statement.stepMs);
  }

  async evaluate(statement: EvalStatement): Promise<TestOutcome> {
    const { line, expr } = statement;
    const wrong = await this.firstFault(statement);
    if (wrong === undefined) return { line, expr, status: 'passed', reason: '' };
    const skip = this.skipReason(statement);
    return { line, expr, status: skip === undefined ? 'failed' : 'skipped', reason: skip ?? wrong };
  }

  private loadSeries({ labels, items }: SeriesDescription, stepMs: number): void {
    items.forEach((item, i) => {
      if (item.kind === 'value') this.storage.add(labels, i * stepMs, item.value);
      else if (item.kind === 'stale') this.storage.addStale(labels, i * stepMs);
    });
  }

  private skipReason({ expr, expect }: EvalStatement): string | undefined {
    if (expect.series.some((series) => series.items.some(isHistogram))) return 'native histograms';
    let tree: Expr;
    try {
      tree = parseExpr(expr, PARSER);
    } catch {
      return undefined; // Then that is what is tested.
    }
    let unsupported: string | undefined;
    walk(tree, (node) => {
      if (node.kind === 'call' && node.func === 'info') unsupported = 'function info()';
    });
    return unsupported ?? this.absentReason(tree);
  }

  private absentReason(tree: Expr): string | undefined {
    for (const { matchers } of selectors(tree)) {
      for (const [labels, reason] of this.absent) {
        if (matchers.every((matcher) => matcher.matches(labels.get(matcher.name)))) return reason;
      }
    }
    return undefined;
  }

  private async firstFault(statement: EvalStatement): Promise<string | undefined> {
    try {
      if (statement.stepMs > 0) return await this.runRange(statement);
      const queries: PinnedQuery[] = [{ expr: statement.expr, timeMs: statement.startMs }];
      if (statement.expect.fail === undefined) {
        queries.push(...pinnedQueries(parseExpr(statement.expr, PARSER), statement.startMs));
      }
      for (const query of queries) {
        const wrong = await this.runInstant(statement, query);
        if (wrong !== undefined) return `${query.expr} at ${query.timeMs}: ${wrong}`;
      }
      return undefined;
    } catch (error) {
      return checkFailure(statement, error);
    }
  }

  private async runRange(statement: EvalStatement): Promise<string | undefined> {
    const result = await this.engine.range(statement, this.storage);
    if (statement.expect.fail !== undefined) return 'expected an error, got none';
    return compareAnnotations(statement, result.warnings, result.infos) ?? compareResult(statement, result);
  }

  private async runInstant(statement: EvalStatement, query: PinnedQuery): Promise<string | undefined> {
    const { expect } = statement;
    const result = await this.engine.instant(query, this.storage);
    if (expect.fail !== undefined) return 'expected an error, got none';
    const wrong =
      compareAnnotations(statement, result.warnings, result.infos) ?? compareResult(statement, result);
    const alone =
      expect.string !== undefined || expect.rangeVector !== undefined || WINDOW_CALL.test(query.expr);
    if (wrong !== undefined || alone) return wrong;
    return this.runAsMiddleStep(statement, query, result);
  }

  private async runAsMiddleStep(
    statement: EvalStatement,
    { expr, timeMs }: PinnedQuery,
    instant: QueryResult,
  ): Promise<string | undefined> {
    const range = { expr, startMs: timeMs - 60_000, endMs: timeMs + 60_000, stepMs: 60_000 };
    const result = await this.engine.range(range, this.storage);
    if (statement.expect.ordered || result.type !== 'matrix') return undefined;
    const unsorted = unsortedSeries(result.series);
    if (unsorted !== undefined) return `as a range: ${unsorted}`;
    const samples = result.series.flatMap(({ labels, timestampsMs, values }) => {
      const at = timestampsMs.indexOf(timeMs);
      return at === -1 ? [] : [{ labels, timeMs, value: values[at]! }];
    });
    const wrong =
      instant.type === 'scalar'
        ? compareResult(statement, { type: 'scalar', timeMs, value: samples[0]?.value ?? NaN })
        : compareVector(statement, samples, false);
    return wrong && `as a range: ${wrong}`;
  }
}

function checkFailure({ expect }: EvalStatement, error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : String(error);
  if (expect.fail === undefined) return `expected no error, got ${message}`;
  if (matchesPattern(expect.fail, message)) return undefined;
  return `expected error ${expect.fail.text ?? expect.fail.regexp?.source}, got ${message}`;
}

/** The labels of the native histogram that a classic one's series is converted to. */
function nativeLabels(labels: Labels): Labels {
  const name = labels.get(METRIC_NAME).replace(/_(?:bucket|count|sum)$/, '');
  return new LabelsBuilder(labels).set(METRIC_NAME, name).delete('le').labels();
}
