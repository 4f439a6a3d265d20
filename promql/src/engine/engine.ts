// The engine: parses, plans, loads and evaluates queries. It holds nothing between them.

import { ColumnArena } from '@flotilla/kernel';
import type { Expr } from '../ast.ts';
import { withoutParens } from '../logical/logical-plan.ts';
import type { ParserOptions } from '../parser/options.ts';
import { parseExpr } from '../parser/parse.ts';
import { valueType } from '../parser/traverse.ts';
import type { Storage } from '../storage.ts';
import { collectMatrix, collectRange, collectScalar, collectVector, finished } from './collect.ts';
import type { QueryWindow } from './durations.ts';
import { fail, QueryError, QueryLimitError } from './errors.ts';
import { Evaluation } from './evaluation.ts';
import { makeBudget } from './make-budget.ts';
import { type Grid, gridBetween, instantGrid } from './grid.ts';
import { Planner } from './plan.ts';
import type { PlanNode } from './plan-tree.ts';
import type { QueryData, QueryResult } from './result.ts';
import { SampleCounter } from './sample-counter.ts';

export interface EngineOptions {
  /** How long a sample stands for its series; 5 minutes. */
  readonly lookbackMs?: number;
  /** Cells that one query may hold at a time; 50 million. */
  readonly maxSamples?: number;
  /** Bytes that one query may hold, the storage's part included; 2 GiB. */
  readonly maxBytes?: number;
  /** 2 minutes. */
  readonly timeoutMs?: number;
  /** The step of subqueries that name none; 1 minute. */
  readonly defaultIntervalMs?: number;
  /** Takes names away at the end of a query instead of at once. */
  readonly delayedNameRemoval?: boolean;
  /** Lets rate(), irate(), increase() and resets() regard when counters began, as far as the storage knows. */
  readonly useStartTimestamps?: boolean;
  /** For queries that come as text. */
  readonly parser?: ParserOptions;
}

/** What one query may set for itself. */
export interface QueryControl {
  readonly signal?: AbortSignal;
  readonly lookbackMs?: number;
  /** Only shortens the engine's. */
  readonly timeoutMs?: number;
  /** Measures each part of the plan, for the result's `stats.plan`, and counts samples by step; it costs some. */
  readonly measure?: boolean;
  /** Counts the samples that are read, for the result's `stats.samplesRead`; it costs little. */
  readonly countReads?: boolean;
  /** Where the columns of a matrix lie, which are valid until it is released; of one that nobody releases by default. */
  readonly arena?: ColumnArena;
}

export interface InstantQuery {
  readonly expr: Expr | string;
  /** What the expression was parsed from, for the positions in annotations. */
  readonly text?: string;
  readonly timeMs: number;
}

export interface RangeQuery {
  readonly expr: Expr | string;
  readonly text?: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

const DEFAULTS = {
  lookbackMs: 300_000,
  maxSamples: 50_000_000,
  maxBytes: 2 ** 31,
  timeoutMs: 120_000,
  defaultIntervalMs: 60_000,
  delayedNameRemoval: false,
  useStartTimestamps: false,
};

export class Engine {
  private readonly options: EngineOptions & typeof DEFAULTS;

  constructor(options: EngineOptions = {}) {
    this.options = { ...DEFAULTS, ...options };
  }

  /**
   * The value of an expression at one time. A range vector gives a matrix of raw samples.
   * Throws ParseError, QueryError, or what the storage rejects with.
   */
  async instant(query: InstantQuery, storage: Storage, control: QueryControl = {}): Promise<QueryResult> {
    const { timeMs } = query;
    const window = { startMs: timeMs, endMs: timeMs, stepMs: 0 };
    return this.run(query, instantGrid(timeMs), window, storage, control);
  }

  /** The values of a scalar or vector expression from start to end. Throws as instant() does. */
  async range(query: RangeQuery, storage: Storage, control: QueryControl = {}): Promise<QueryResult> {
    const { startMs, endMs, stepMs } = query;
    if (!(stepMs > 0)) fail(`range query: step ${stepMs} ms, want more than 0`);
    const grid = gridBetween(startMs, endMs, stepMs);
    return this.run(query, grid, { startMs, endMs, stepMs }, storage, control);
  }

  /** The plan of a query that is not run; undefined for a string. Throws ParseError and QueryError. */
  explain({ expr: given }: Pick<InstantQuery, 'expr'>, window: QueryWindow): PlanNode | undefined {
    const expr = typeof given === 'string' ? parseExpr(given, this.options.parser) : given;
    const { startMs, endMs, stepMs } = window;
    const isRange = stepMs > 0;
    if (isRange) checkRangeType(expr);
    const counter = new SampleCounter(0, false);
    const evaluation = this.makeEvaluation({}, new AbortController().signal, counter);
    const { defaultIntervalMs, maxSamples } = this.options;
    const planner = new Planner(expr, evaluation, window, defaultIntervalMs, maxSamples);
    planQuery(planner, isRange ? gridBetween(startMs, endMs, stepMs) : instantGrid(startMs), isRange);
    return planner.tree.describe();
  }

  private async run(
    { expr: given, text }: Pick<InstantQuery, 'expr' | 'text'>,
    grid: Grid,
    window: QueryWindow,
    storage: Storage,
    control: QueryControl,
  ): Promise<QueryResult> {
    const begunMs = performance.now();
    const isRange = window.stepMs > 0;
    const expr = typeof given === 'string' ? parseExpr(given, this.options.parser) : given;
    if (isRange) checkRangeType(expr);
    const signal = control.signal ?? new AbortController().signal;
    const { defaultIntervalMs, maxSamples } = this.options;
    const isMeasured = control.measure === true;
    const counter = new SampleCounter(grid.steps, isMeasured || control.countReads === true);
    const evaluation = this.makeEvaluation(control, signal, counter);
    const planner = new Planner(expr, evaluation, window, defaultIntervalMs, maxSamples, isMeasured);
    const evaluate = planQuery(planner, grid, isRange);
    evaluation.check();
    const context = { signal, budget: evaluation.budget };
    const warnings = await evaluation.orAborted(planner.selections.load(storage, context));
    evaluation.anyHistograms = planner.selections.anyHistograms();
    const data = await guarded(evaluate);
    evaluation.freeTiles();
    const read = counter.readPerStep(grid);
    const annotations = evaluation.annotations.texts(typeof given === 'string' ? given : (text ?? ''));
    return {
      ...data,
      warnings: [...warnings, ...annotations.warnings],
      infos: annotations.infos,
      stats: {
        samples: counter.total,
        peakSamples: evaluation.peakSamples,
        evalMs: performance.now() - begunMs,
        ...(read && { samplesRead: read.samples.reduce((sum, count) => sum + count, 0) }),
        ...(isMeasured && {
          perStep: counter.perStep(grid),
          readPerStep: read,
          plan: planner.tree.describe(),
        }),
      },
    };
  }

  private makeEvaluation(control: QueryControl, signal: AbortSignal, counter: SampleCounter): Evaluation {
    const { lookbackMs, maxSamples, delayedNameRemoval, useStartTimestamps, timeoutMs, maxBytes } =
      this.options;
    return new Evaluation({
      lookbackMs: control.lookbackMs ?? lookbackMs,
      maxSamples,
      delayedNameRemoval,
      useStartTimestamps,
      timeoutMs: Math.min(timeoutMs, control.timeoutMs ?? timeoutMs),
      signal,
      budget: makeBudget('query memory', maxBytes),
      counter,
      arena: control.arena ?? new ColumnArena(),
    });
  }
}

function checkRangeType(expr: Expr): void {
  const type = valueType(expr);
  if (type === 'scalar' || type === 'vector') return;
  const names: Record<string, string> = { matrix: 'range vector', string: 'string' };
  fail(`invalid expression type "${names[type] ?? type}" for range query, must be Scalar or instant Vector`);
}

/** Plans the query, which registers its selections; the returned function evaluates it. */
function planQuery(planner: Planner, grid: Grid, isRange: boolean): () => Promise<QueryData> {
  const { evaluation } = planner;
  const bare = withoutParens(planner.query);
  const type = valueType(bare);
  if (bare.kind === 'string') {
    return () => Promise.resolve({ type: 'string', timeMs: grid.startMs, value: bare.value });
  }
  if (type === 'matrix') {
    const range = planner.planRange(bare, grid, { func: '', grouping: [], by: false });
    return () => collectRange(range, evaluation);
  }
  const root = finished(planner.plan(bare, grid), evaluation);
  if (isRange) return () => collectMatrix(root, evaluation);
  return () => (type === 'scalar' ? collectScalar(root, evaluation) : collectVector(root, evaluation));
}

/** What our own code throws by mistake becomes the query's internal error. */
async function guarded(evaluate: () => Promise<QueryData>): Promise<QueryData> {
  try {
    return await evaluate();
  } catch (error) {
    if (error instanceof RangeError) {
      throw new QueryLimitError(`query execution: ${error.message}, want fewer series or steps`);
    }
    if (error instanceof TypeError)
      throw new QueryError('internal', `unexpected error: ${error.message}`, { cause: error });
    throw error;
  }
}
