// The plan of a query as a tree for people: what is computed from what, and, if it was measured, at what cost.
//
// The planner enters a node for each expression that it plans, so the tree has the shape of the plan: what is evaluated
// once instead of at every step, and selectors as the storage is asked for them.

import type { Expr } from '../ast.ts';
import { type Marks, markTexts } from '../logical/logical-plan.ts';
import { printAggregateHead, printExpr, printOperator } from '../printer/print.ts';
import type { Evaluation } from './evaluation.ts';
import { type Grid, gridEnd } from './grid.ts';
import type { Operator } from './operator.ts';
import type { Selection } from './selection.ts';
import type { SeriesList } from './series-list.ts';
import { CELL_BYTES, NOTHING, type Tile } from './tile.ts';

/** What a storage gave for a selector. */
export interface PlanSelection {
  readonly matchers: readonly string[];
  readonly startMs: number;
  readonly endMs: number;
  /** These are absent unless the query was run. */
  readonly wallMs?: number;
  readonly series?: number;
  readonly samples?: number;
  readonly bytes?: number;
}

/** What a part of a plan took and gave, its inputs not included. */
export interface PlanCost {
  readonly wallMs: number;
  /** Of the result, over all steps. */
  readonly series: number;
  readonly samples: number;
  /** Held beyond the batch at hand. */
  readonly bytes: number;
}

export interface PlanNode {
  /** `sum by (pod)`, `rate`, `selector`, `*`, … */
  readonly operator: string;
  readonly expr: string;
  /** When it is evaluated. One step where an input of many is computed once. */
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  readonly steps: number;
  /** What makes it cheaper than it looks: `evaluated once`, `matchers of the other side: pod="a"`, … */
  readonly notes?: readonly string[];
  readonly selection?: PlanSelection;
  /**
   * Absent unless the query was run; ranges are read by the function around them, and what the query has twice may be
   * evaluated at its first place only.
   */
  readonly cost?: PlanCost;
  readonly inputs: readonly PlanNode[];
}

/** A node while the query is planned and run. Times and bytes include those of its inputs. */
class OpenNode {
  readonly expr: Expr;
  readonly grid: Grid;
  readonly inputs: OpenNode[] = [];
  selection: Selection | undefined;
  isMeasured = false;
  isOpened = false;
  wallMs = 0;
  series = 0;
  samples = 0;
  cells = 0;

  constructor(expr: Expr, grid: Grid) {
    this.expr = expr;
    this.grid = grid;
  }
}

export class PlanTree {
  private readonly evaluation: Evaluation;
  private readonly marks: ReadonlyMap<Expr, Marks>;
  private readonly isMeasured: boolean;
  private readonly roots: OpenNode[] = [];
  private current: OpenNode | undefined;

  constructor(evaluation: Evaluation, marks: ReadonlyMap<Expr, Marks>, isMeasured: boolean) {
    this.evaluation = evaluation;
    this.marks = marks;
    this.isMeasured = isMeasured;
  }

  /** Plans an expression as an input of the one that is being planned. */
  enter<T>(expr: Expr, grid: Grid, plan: () => T): T {
    const node = new OpenNode(expr, grid);
    const outer = this.current;
    (outer?.inputs ?? this.roots).push(node);
    this.current = node;
    try {
      return plan();
    } finally {
      this.current = outer;
    }
  }

  /** The operator of the expression that is being planned, measured if that is wanted. */
  measured(operator: Operator): Operator {
    const node = this.current;
    if (!this.isMeasured || node === undefined) return operator;
    node.isMeasured = true;
    return new MeasuredOperator(operator, node, this.evaluation);
  }

  /** The expression that is being planned looks at these series. */
  selects(selection: Selection): void {
    if (this.current !== undefined) this.current.selection = selection;
  }

  describe(): PlanNode | undefined {
    return this.roots[0] && this.describeNode(this.roots[0]);
  }

  private describeNode(node: OpenNode): PlanNode {
    const { expr, grid, selection } = node;
    const marks = [this.marks.get(expr), expr.kind === 'matrix' ? this.marks.get(expr.selector) : undefined];
    const notes = [...new Set(marks.flatMap((one) => markTexts(one ?? {})))];
    return {
      operator: operatorOf(expr),
      expr: printExpr(expr),
      startMs: grid.startMs,
      endMs: gridEnd(grid),
      stepMs: grid.stepMs,
      steps: grid.steps,
      ...(notes.length > 0 && { notes }),
      ...(selection && { selection: describeSelection(selection, this.isMeasured) }),
      ...(node.isOpened && { cost: costOf(node) }),
      inputs: node.inputs.map((input) => this.describeNode(input)),
    };
  }
}

function operatorOf(expr: Expr): string {
  switch (expr.kind) {
    case 'aggregate':
      return printAggregateHead(expr).trim();
    case 'binary':
      return printOperator(expr).trim();
    case 'call':
      return expr.func;
    case 'matrix':
      return 'range selector';
    case 'unary':
      return expr.op;
    case 'number':
    case 'string':
    case 'paren':
    case 'selector':
    case 'subquery':
      break;
  }
  return expr.kind;
}

function describeSelection({ matchers, hints, series, wallMs }: Selection, isRun: boolean): PlanSelection {
  const asked = { matchers: matchers.map(String), startMs: hints.startMs, endMs: hints.endMs };
  if (!isRun) return asked;
  const samples = series.reduce((sum, { values }) => sum + values.length, 0);
  return { ...asked, wallMs, series: series.length, samples, bytes: 16 * samples };
}

/** Without its inputs', of which ranges are not measured but theirs are. */
function costOf(node: OpenNode): PlanCost {
  let { wallMs, cells } = node;
  const subtract = (input: OpenNode): void => {
    wallMs -= input.wallMs;
    cells -= input.cells;
    if (!input.isMeasured) input.inputs.forEach(subtract);
  };
  node.inputs.forEach(subtract);
  const { series, samples } = node;
  return { wallMs: Math.max(0, wallMs), series, samples, bytes: Math.max(0, cells) * CELL_BYTES };
}

class MeasuredOperator implements Operator {
  private readonly operator: Operator;
  private readonly node: OpenNode;
  private readonly evaluation: Evaluation;

  constructor(operator: Operator, node: OpenNode, evaluation: Evaluation) {
    this.operator = operator;
    this.node = node;
    this.evaluation = evaluation;
  }

  get grid(): Grid {
    return this.operator.grid;
  }

  get series(): SeriesList {
    return this.operator.series;
  }

  async open(): Promise<void> {
    const begunMs = performance.now();
    const before = this.evaluation.heldCells;
    await this.operator.open();
    this.node.wallMs += performance.now() - begunMs;
    this.node.cells += this.evaluation.heldCells - before;
    this.node.series = this.series.count;
    this.node.isOpened = true;
  }

  read(from: number, to: number, into: Tile, row: number): void {
    const begunMs = performance.now();
    this.operator.read(from, to, into, row);
    this.node.wallMs += performance.now() - begunMs;
    const { steps } = this.grid;
    const end = (row + to - from) * steps;
    for (let cell = row * steps; cell < end; cell++) if (into.valid[cell] !== NOTHING) this.node.samples++;
  }
}
