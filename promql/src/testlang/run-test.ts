// Runs files of the test language against the engine and a memory storage.
//
// As promqltest does, each instant query is also run with `@` on its selectors at several times, and as the middle step
// of a range query.

import { Engine, type EngineOptions } from '../engine/engine.ts';
import { MemoryStorage } from '../engine/memory-storage.ts';
import type { MatrixSeries, QueryResult, VectorSample } from '../engine/result.ts';
import { parseExpr } from '../parser/parse.ts';
import { compareAnnotations, compareResult, compareVector, unsortedSeries } from './compare.ts';
import { nativeOfClassic } from './native-of-classic.ts';
import { parseTest } from './parse-test.ts';
import { pinnedQueries, type PinnedQuery } from './pinned.ts';
import type { SeriesDescription } from './sequence.ts';
import type { StartOffset } from './start-times.ts';
import { type EvalStatement, type LoadStatement, matchesPattern } from './statement.ts';

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
const ENGINE: EngineOptions = {
  maxSamples: 50_000_000,
  delayedNameRemoval: true,
  useStartTimestamps: true,
  parser: PARSER,
};

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

  constructor(options: EngineOptions) {
    this.engine = new Engine(options);
  }

  clear(): void {
    this.storage.clear();
  }

  load({ series, stepMs, startTimes, withNative }: LoadStatement): void {
    // Of two lines for one series the later one counts.
    const all = [...new Map(series.map((one) => [one.labels.key, one])).values()];
    for (const one of all) this.loadSeries(one, stepMs, startTimes.get(one.labels.key) ?? []);
    if (!withNative) return;
    for (const { labels, histograms } of nativeOfClassic(all)) {
      for (const [i, histogram] of histograms) this.storage.addHistogram(labels, i * stepMs, histogram);
    }
  }

  async evaluate(statement: EvalStatement): Promise<TestOutcome> {
    const { line, expr } = statement;
    const wrong = await this.firstFault(statement);
    if (wrong === undefined) return { line, expr, status: 'passed', reason: '' };
    return { line, expr, status: 'failed', reason: wrong };
  }

  private loadSeries(
    { labels, items }: SeriesDescription,
    stepMs: number,
    startOffsets: readonly StartOffset[],
  ): void {
    items.forEach((item, i) => {
      const timeMs = i * stepMs;
      const offset = startOffsets[i];
      const startMs = offset === undefined ? 0 : timeMs + offset;
      if (item.kind === 'value') this.storage.add(labels, timeMs, item.value, startMs);
      else if (item.kind === 'histogram') this.storage.addHistogram(labels, timeMs, item.histogram, startMs);
      else if (item.kind === 'stale') this.storage.addStale(labels, timeMs);
    });
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
    const samples = result.series.flatMap((series) => sampleAt(series, timeMs));
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

/** The sample of a series at a time, if there is one. */
function sampleAt(
  { labels, timestampsMs, values, histograms = [] }: MatrixSeries,
  timeMs: number,
): VectorSample[] {
  const at = timestampsMs.indexOf(timeMs);
  if (at !== -1) return [{ labels, timeMs, value: values[at]! }];
  return histograms
    .filter((point) => point.timeMs === timeMs)
    .map(({ histogram }) => ({ labels, timeMs, value: 0, histogram }));
}
