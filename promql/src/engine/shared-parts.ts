// Operators that share what the query has more than once, as its logical plan says: where nothing in it could make a note,
// whose position would then be that of another place.
//
// Whether there are native histograms, of which anything could make a note, is known only when the series are loaded.
// So each place has a plan of its own, and uses it then.

import type { Evaluation } from './evaluation.ts';
import type { Grid } from './grid.ts';
import { BaseOperator, type Operator } from './operator.ts';
import type { SampleCounter } from './sample-counter.ts';
import { copyRows, type Tile } from './tile.ts';

export class SharedParts {
  private readonly evaluation: Evaluation;
  private readonly shared = new Map<string, SharedPart>();

  constructor(evaluation: Evaluation) {
    this.evaluation = evaluation;
  }

  /** An operator for what `plan` plans: its own, or one that shares what that of the same text and steps has computed. */
  of(text: string | undefined, { startMs, stepMs, steps }: Grid, plan: () => Operator): Operator {
    if (text === undefined) return plan();
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
