// Turns a query's logical plan into operators, and collects the selections that they need.
//
// Each expression is planned for a grid: the query's, a subquery's own, or the first step alone of either for a part
// that gives the same at every step.

import type {
  AggregateExpr,
  AtModifier,
  BinaryExpr,
  Expr,
  MatrixSelector,
  SubqueryExpr,
  VectorSelector,
} from '../ast.ts';
import { type LogicalPlan, type Marks, withoutParens } from '../logical/logical-plan.ts';
import { optimize } from '../logical/optimize.ts';
import { WINDOW_FUNCTIONS } from '../logical/step-invariance.ts';
import { valueType } from '../parser/traverse.ts';
import type { SelectHints } from '../storage.ts';
import { FoldAggregate } from './aggregate.ts';
import { isSetOp } from './arithmetic.ts';
import { CountValues } from './count-values.ts';
import { checkDurations, type QueryWindow, resolveDuration } from './durations.ts';
import { fail, QueryLimitError } from './errors.ts';
import type { Evaluation } from './evaluation.ts';
import { isFoldOp } from './fold.ts';
import { firstStep, type Grid, gridEnd, subqueryGrid } from './grid.ts';
import type { Grouping } from './grouping.ts';
import { sharedReference } from './info-plan.ts';
import { InstantSelector, lookTimes, type SampleColumn } from './instant-selector.ts';
import { MergeOperator } from './merge-operator.ts';
import { NodeRanks } from './node-ranks.ts';
import type { Operator } from './operator.ts';
import { planCall } from './plan-call.ts';
import { PlanTree } from './plan-tree.ts';
import { QuantileAggregate } from './quantile-aggregate.ts';
import { type RangeSource, StorageSource, SubquerySource } from './range-source.ts';
import { ScalarBinary, VectorScalarBinary } from './scalar-binary.ts';
import { type Selection, Selections } from './selection.ts';
import { SharedParts } from './shared-parts.ts';
import { SetBinary } from './set-binary.ts';
import { Negation, Replicate, StepScalar } from './simple-operators.ts';
import { SmoothedSelector } from './smoothed-selector.ts';
import { SeriesAggregate } from './top-k.ts';
import { VectorBinary } from './vector-binary.ts';
import { Windows } from './windows.ts';

/** What a storage may be told of the expression around a selector. */
interface Surroundings {
  readonly func: string;
  readonly grouping: readonly string[];
  readonly by: boolean;
}

/** Functions that regard when counters began. */
const START_TIME_FUNCTIONS = new Set(['rate', 'irate', 'increase', 'resets']);

const ALONE: Surroundings = { func: '', grouping: [], by: false };

/** How far a selector's samples reach around the times that are looked at, and whether only the newest of them is. */
interface Extent {
  readonly rangeMs: number;
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly latestOnly?: boolean;
}

/** A range selector or subquery, ready for a range function. */
export interface PlannedRange {
  readonly source: RangeSource;
  readonly windows: Windows;
  /** How far the windows are read beyond their range: only for `anchored` and `smoothed` selectors. */
  readonly beforeMs: number;
  readonly afterMs: number;
}

export class Planner {
  readonly evaluation: Evaluation;
  readonly window: QueryWindow;
  readonly selections = new Selections();
  readonly tree: PlanTree;
  readonly ranks: NodeRanks;
  /** What is summed up or averaged, which nobody else sees. */
  readonly summed = new Set<Expr>();
  private readonly defaultIntervalMs: number;
  private readonly maxSamples: number;
  private readonly logical: LogicalPlan;
  private readonly shared: SharedParts;

  constructor(
    query: Expr,
    evaluation: Evaluation,
    window: QueryWindow,
    defaultIntervalMs: number,
    maxSamples: number,
    isMeasured = false,
  ) {
    this.evaluation = evaluation;
    this.window = window;
    this.defaultIntervalMs = defaultIntervalMs;
    this.maxSamples = maxSamples;
    checkDurations(query, window);
    this.logical = optimize(query, (info) => sharedReference(this, info.args[0]!) !== undefined);
    this.tree = new PlanTree(evaluation, this.logical.marks, isMeasured);
    this.shared = new SharedParts(evaluation);
    this.ranks = new NodeRanks(query);
    evaluation.annotations.ranks = this.ranks;
  }

  /** The query as it is planned. */
  get query(): Expr {
    return this.logical.expr;
  }

  private marksOf(expr: Expr): Marks {
    return this.logical.marks.get(expr) ?? {};
  }

  /** An operator for an expression of scalar or vector type. */
  plan(expr: Expr, grid: Grid, around: Surroundings = ALONE): Operator {
    const bare = withoutParens(expr);
    if (grid.steps === 0 || !this.marksOf(bare).isOnce) return this.planNode(bare, grid, around);
    // Its grid ends where it starts, which tells where only one step was asked for.
    if (grid.steps === 1) return this.planNode(bare, firstStep(grid), around);
    const counter = this.evaluation.counter.ofOnce();
    const once = this.evaluation.countingAt(counter, () => this.planNode(bare, firstStep(grid), around));
    return new Replicate(once, grid, this.evaluation);
  }

  private planNode(expr: Expr, grid: Grid, around: Surroundings): Operator {
    return this.tree.enter(expr, grid, () => this.tree.measured(this.build(expr, grid, around)));
  }

  /** A range, for the windows of the grid's steps. */
  planRange(expr: Expr, grid: Grid, around: Surroundings): PlannedRange {
    const bare = withoutParens(expr);
    return this.tree.enter(bare, grid, () => {
      if (bare.kind === 'matrix') return this.planMatrix(bare, grid, around);
      if (bare.kind === 'subquery') return this.planSubquery(bare, grid, around);
      return fail(`unhandled expression of type: ${bare.kind}, want a range vector`);
    });
  }

  /** The operator, with series of equal labels merged. */
  merged(input: Operator): Operator {
    return new MergeOperator(input, this.evaluation);
  }

  private build(expr: Expr, grid: Grid, around: Surroundings): Operator {
    switch (expr.kind) {
      case 'number':
        return new StepScalar(() => expr.value, grid, this.evaluation);
      case 'unary':
        return this.buildUnary(expr, grid, around);
      case 'binary':
        return this.buildBinary(expr, grid);
      case 'aggregate':
        return this.shared.of(this.marksOf(expr).sharedAs, grid, () => this.buildAggregate(expr, grid));
      case 'call':
        if (WINDOW_FUNCTIONS.has(expr.func)) return this.buildWindowFunction(expr.func, grid);
        return planCall(this, expr, grid, { ...ALONE, func: expr.func });
      case 'selector':
        return this.buildSelector(expr, grid, around);
      case 'paren':
        return this.plan(expr.expr, grid, around);
      case 'string':
      case 'matrix':
      case 'subquery':
        break;
    }
    return fail(`unhandled expression of type: ${expr.kind}`);
  }

  private buildUnary(expr: Expr & { kind: 'unary' }, grid: Grid, around: Surroundings): Operator {
    const input = this.plan(expr.expr, grid, around);
    if (expr.op === '+') return input;
    return this.merged(new Negation(input, this.evaluation));
  }

  private buildWindowFunction(func: string, grid: Grid): Operator {
    const { startMs, endMs, stepMs } = this.window;
    const values: Record<string, number> = {
      start: startMs,
      end: endMs,
      step: stepMs,
      range: endMs - startMs,
    };
    return new StepScalar(() => values[func]! / 1000, grid, this.evaluation);
  }

  private buildBinary(expr: BinaryExpr, grid: Grid): Operator {
    const { evaluation } = this;
    const lhs = this.plan(expr.lhs, grid);
    const rhs = this.plan(expr.rhs, grid);
    const scalarLeft = valueType(expr.lhs) === 'scalar';
    const scalarRight = valueType(expr.rhs) === 'scalar';
    if (scalarLeft && scalarRight) return new ScalarBinary(expr, lhs, rhs, evaluation);
    if (scalarLeft) return this.merged(new VectorScalarBinary(expr, rhs, lhs, true, evaluation));
    if (scalarRight) return this.merged(new VectorScalarBinary(expr, lhs, rhs, false, evaluation));
    const matching = expr.matching ?? { card: 'one-to-one', labels: [], on: false, include: [] };
    if (isSetOp(expr.op)) return this.merged(new SetBinary(expr.op, matching, lhs, rhs, evaluation));
    return new VectorBinary(expr, matching, lhs, rhs, evaluation);
  }

  private buildAggregate(expr: AggregateExpr, grid: Grid): Operator {
    const { op, without } = expr;
    const grouping: Grouping = { names: expr.grouping, without };
    const around = { func: op, grouping: expr.grouping, by: !without };
    if (op === 'sum' || op === 'avg') this.summed.add(withoutParens(expr.expr));
    const input = this.plan(expr.expr, grid, around);
    if (op === 'count_values') {
      const label = expr.param === undefined ? undefined : withoutParens(expr.param);
      return new CountValues(label?.kind === 'string' ? label.value : '', grouping, input, this.evaluation);
    }
    const inputPos = withoutParens(expr.expr).pos;
    if (isFoldOp(op)) return new FoldAggregate(op, grouping, input, inputPos, this.evaluation);
    if (expr.param === undefined) return fail(`${op}: no parameter`);
    const param = this.plan(expr.param, grid, around);
    const { pos } = withoutParens(expr.param);
    if (op === 'quantile')
      return new QuantileAggregate(param, pos, grouping, input, inputPos, this.evaluation);
    return new SeriesAggregate(op, { op: param, pos }, grouping, input, expr.pos, this.evaluation);
  }

  private buildSelector(expr: VectorSelector, grid: Grid, around: Surroundings): Operator {
    if (!expr.smoothed) return this.selector(expr, grid, around, 'value');
    const offsetMs = this.offsetOf(expr);
    const times = lookTimes(grid, offsetMs, this.timeOf(expr.at));
    const { lookbackMs } = this.evaluation;
    const selection = this.select(expr, grid, around, {
      rangeMs: 0,
      beforeMs: lookbackMs,
      afterMs: lookbackMs,
    });
    const windows = new Windows(grid, times, lookbackMs);
    return new SmoothedSelector(selection, windows, expr.pos, this.evaluation);
  }

  /** An instant selector of samples' values, or of their times. */
  selector(expr: VectorSelector, grid: Grid, around: Surroundings, column: SampleColumn): Operator {
    // Of a pinned sample's times an offset only decides what is loaded, as in Prometheus.
    const atMs = this.timeOf(expr.at);
    const offsetMs = column !== 'value' && atMs !== undefined ? 0 : this.offsetOf(expr);
    const times = lookTimes(grid, offsetMs, atMs);
    // Of a histogram whose buckets nobody looks at, only the one before tells whether it was reset.
    const isWhole = column === 'value' && this.marksOf(expr).isStats !== true;
    const latestOnly = isWhole && (grid.steps === 1 || atMs !== undefined);
    const extent = { rangeMs: 0, beforeMs: this.evaluation.lookbackMs, afterMs: 0, latestOnly };
    const selection = this.select(expr, grid, around, extent);
    return new InstantSelector(selection, times, grid, this.evaluation, column);
  }

  /** The times of the samples of info series. */
  infoSelector(expr: VectorSelector, grid: Grid): InstantSelector {
    const times = lookTimes(grid, expr.offsetMs, this.timeOf(expr.at));
    const extent = { rangeMs: 0, beforeMs: this.evaluation.lookbackMs, afterMs: 0 };
    const selection = this.select(expr, grid, { ...ALONE, func: 'info' }, extent);
    return new InstantSelector(selection, times, grid, this.evaluation, 'time');
  }

  private planMatrix(expr: MatrixSelector, grid: Grid, around: Surroundings): PlannedRange {
    const { selector } = expr;
    const rangeMs = resolveDuration(expr.rangeExpr, expr.rangeMs, this.window, 'positive');
    const { lookbackMs } = this.evaluation;
    const beforeMs = selector.anchored || selector.smoothed ? lookbackMs : 0;
    const afterMs = selector.smoothed ? lookbackMs : 0;
    const withStartTimes = this.evaluation.useStartTimestamps && START_TIME_FUNCTIONS.has(around.func);
    const extent = { rangeMs, beforeMs: rangeMs + beforeMs, afterMs };
    const selection = this.select(selector, grid, around, extent);
    const times = lookTimes(grid, this.offsetOf(selector), this.timeOf(selector.at));
    return {
      source: new StorageSource(selection, withStartTimes),
      windows: new Windows(grid, times, rangeMs),
      beforeMs,
      afterMs,
    };
  }

  private planSubquery(expr: SubqueryExpr, grid: Grid, around: Surroundings): PlannedRange {
    const rangeMs = resolveDuration(expr.rangeExpr, expr.rangeMs, this.window, 'positive');
    const stepMs =
      resolveDuration(expr.stepExpr, expr.stepMs, this.window, 'positive') || this.defaultIntervalMs;
    const offsetMs = resolveDuration(expr.offsetExpr, expr.offsetMs, this.window, 'any');
    const atMs = this.timeOf(expr.at);
    // A pinned subquery goes on as long as its parent; the steps after its window only show in annotations. Samples after it
    // do not show at all, as in Prometheus, which does not select them.
    const readEndMs = atMs ?? grid.readEndMs;
    const inner = {
      ...subqueryGrid({ ...grid, startMs: atMs ?? grid.startMs }, offsetMs, rangeMs, stepMs),
      ...(readEndMs !== undefined && { readEndMs: readEndMs - offsetMs }),
    };
    if (inner.steps > this.maxSamples) {
      throw new QueryLimitError(
        'query processing would load too many samples into memory in query execution',
      );
    }
    // Its samples count as those of the windows over them.
    const apart = this.evaluation.counter.ofSubquery(inner, grid, offsetMs, rangeMs);
    const input = this.evaluation.countingAt(apart, () => this.plan(expr.expr, inner, around));
    const windows = new Windows(grid, lookTimes(grid, offsetMs, atMs), rangeMs);
    return { source: new SubquerySource(input, this.evaluation), windows, beforeMs: 0, afterMs: 0 };
  }

  private select(expr: VectorSelector, grid: Grid, around: Surroundings, extent: Extent): Selection {
    const offsetMs = this.offsetOf(expr);
    const atMs = this.timeOf(expr.at);
    const endMs = Math.min(gridEnd(grid), grid.readEndMs ?? Infinity);
    const hints: SelectHints = {
      startMs: (atMs ?? grid.startMs) - offsetMs - extent.beforeMs + 1,
      endMs: (atMs ?? endMs) - offsetMs + extent.afterMs,
      stepMs: grid.steps > 1 ? grid.stepMs : 0,
      rangeMs: extent.rangeMs,
      ...around,
      ...(extent.latestOnly === true && { latestOnly: true }),
    };
    const selection = this.selections.add(expr.matchers, hints, this.marksOf(expr).isStats === true);
    this.tree.selects(selection);
    return selection;
  }

  offsetOf(expr: VectorSelector | SubqueryExpr): number {
    return resolveDuration(expr.offsetExpr, expr.offsetMs, this.window, 'any');
  }

  timeOf(at: AtModifier | undefined): number | undefined {
    if (at === undefined) return undefined;
    if (at === 'start') return this.window.startMs;
    return at === 'end' ? this.window.endMs : at.timestampMs;
  }
}
