// Aggregations that a query has more than once are evaluated once, if that cannot be noticed: the same text on the same
// steps, and nothing in it that could make a note, whose position would then be that of another place.
//
// Whether there are native histograms, of which anything could make a note, is known only when the series are loaded.
// So each place has a plan of its own, and uses it then.

import { METRIC_NAME } from '@flotilla/model';
import type { Call, Expr } from '../ast.ts';
import { children, walk } from '../parser/traverse.ts';
import { printExpr } from '../printer/print.ts';
import { isTrim } from './arithmetic.ts';
import type { Evaluation } from './evaluation.ts';
import { isFoldOp } from './fold.ts';
import type { Grid } from './grid.ts';
import { mathFunctions } from './math-functions.ts';
import { BaseOperator, type Operator } from './operator.ts';
import { overTimeKernels } from './over-time.ts';
import { COUNTER_SUFFIX } from './range-function.ts';
import type { SampleCounter } from './sample-counter.ts';
import { copyRows, type Tile } from './tile.ts';
import { varianceKernels } from './variance.ts';

const SILENT_FUNCTIONS: ReadonlySet<string> = new Set([
  ...Object.keys(mathFunctions),
  ...Object.keys(overTimeKernels),
  ...Object.keys(varianceKernels),
  'clamp',
  'clamp_max',
  'clamp_min',
  'delta',
  'deriv',
  'idelta',
  'irate',
  'round',
  'scalar',
  'time',
  'vector',
]);

/** Whether no evaluation over floats can make a note. */
function isSilent(expr: Expr): boolean {
  return isSilentItself(expr) && children(expr).every(isSilent);
}

function isSilentItself(expr: Expr): boolean {
  switch (expr.kind) {
    case 'aggregate':
      return isFoldOp(expr.op);
    case 'binary':
      return !isTrim(expr.op);
    case 'call':
      return SILENT_FUNCTIONS.has(expr.func) || isRateOfCounter(expr);
    case 'selector':
      return !expr.anchored && !expr.smoothed;
    case 'matrix':
    case 'number':
    case 'paren':
    case 'subquery':
    case 'unary':
      return true;
    case 'string':
      break;
  }
  return false;
}

/** Of a metric whose name says that it counts. */
function isRateOfCounter({ func, args: [range] }: Call): boolean {
  if ((func !== 'rate' && func !== 'increase') || range?.kind !== 'matrix') return false;
  return range.selector.matchers.some(
    ({ type, name, value }) => type === '=' && name === METRIC_NAME && COUNTER_SUFFIX.test(value),
  );
}

/** Finds what one query has more than once, and hands out operators that share it. */
export class SharedParts {
  private readonly evaluation: Evaluation;
  /** How often a text comes in the query. */
  private readonly counts = new Map<string, number>();
  private readonly shared = new Map<string, SharedPart>();

  constructor(query: Expr, evaluation: Evaluation) {
    this.evaluation = evaluation;
    const found: Expr[] = [];
    walk(query, (expr) => {
      if (expr.kind === 'aggregate') found.push(expr);
      return true;
    });
    if (found.length < 2) return;
    for (const expr of found) {
      const text = printExpr(expr);
      this.counts.set(text, (this.counts.get(text) ?? 0) + (isSilent(expr) ? 1 : 0));
    }
  }

  /** An operator for the expression that `plan` plans: its own, or one that shares what another has computed. */
  of(expr: Expr, { startMs, stepMs, steps }: Grid, plan: () => Operator): Operator {
    if (expr.kind !== 'aggregate' || this.counts.size === 0) return plan();
    const text = printExpr(expr);
    if ((this.counts.get(text) ?? 0) < 2) return plan();
    const key = `${startMs}/${stepMs}/${steps}/${text}`;
    const counter = this.evaluation.counter.beside();
    const own = this.evaluation.countingAt(counter, plan);
    let part = this.shared.get(key);
    if (part === undefined) this.shared.set(key, (part = new SharedPart(own, counter, this.evaluation)));
    return new SharedReader(part, own, this.evaluation);
  }
}

/** What is evaluated once: the plan of the first place that has it. */
class SharedPart {
  readonly operator: Operator;
  readonly counter: SampleCounter;
  private readonly evaluation: Evaluation;
  private tile: Promise<Tile> | undefined;

  constructor(operator: Operator, counter: SampleCounter, evaluation: Evaluation) {
    this.operator = operator;
    this.counter = counter;
    this.evaluation = evaluation;
  }

  rows(): Promise<Tile> {
    this.tile ??= this.evaluate();
    return this.tile;
  }

  private async evaluate(): Promise<Tile> {
    await this.operator.open();
    return this.evaluation.materialize(this.operator, 'a part that the query has twice');
  }
}

/** One place that has a shared part. */
class SharedReader extends BaseOperator {
  private readonly part: SharedPart;
  private readonly own: Operator;
  private held: Tile | undefined;

  constructor(part: SharedPart, own: Operator, evaluation: Evaluation) {
    super(own.grid, evaluation);
    this.part = part;
    this.own = own;
  }

  async open(): Promise<void> {
    const { part, own } = this;
    if (this.evaluation.anyHistograms) {
      await own.open();
      this.series = own.series;
      return;
    }
    this.held = await part.rows();
    this.series = part.operator.series;
    // It counts at each place, as if it had been evaluated there.
    if (own !== part.operator) this.counter.alsoCount(part.counter);
  }

  read(from: number, to: number, into: Tile, row: number): void {
    if (this.held === undefined) this.own.read(from, to, into, row);
    else copyRows(this.held, from, into, row, to - from, this.grid.steps);
  }
}
