// absent() and absent_over_time(): one series, at the steps where the input has no sample.

import { Labels, LabelsBuilder, METRIC_NAME } from '@flotilla/model';
import type { Expr } from '../ast.ts';
import type { Evaluation } from './evaluation.ts';
import type { Operator } from './operator.ts';
import { listOf } from './series-list.ts';
import { HeldOperator } from './simple-operators.ts';

/** What the missing series would have been: the labels that a bare selector asks for by value, each once. */
export function absentLabels(expr: Expr): Labels {
  const selector = expr.kind === 'matrix' ? expr.selector : expr;
  if (selector.kind !== 'selector') return Labels.EMPTY;
  const builder = new LabelsBuilder();
  const seen = new Set<string>();
  for (const { name, type, value } of selector.matchers) {
    if (name === METRIC_NAME) continue;
    if (type === '=' && !seen.has(name)) builder.set(name, value);
    else builder.delete(name);
    if (type === '=') seen.add(name);
  }
  return builder.labels();
}

export class Absent extends HeldOperator {
  private readonly input: Operator;

  constructor(input: Operator, labels: Labels, evaluation: Evaluation) {
    super(input.grid, evaluation);
    this.input = input;
    this.series = listOf([labels], true);
  }

  async open(): Promise<void> {
    await this.input.open();
    const { steps } = this.grid;
    const tile = this.evaluation.take(1, steps, 'absent');
    tile.values.fill(1);
    tile.valid.fill(1);
    await this.evaluation.stream(this.input, 'absent', ({ valid }, _first, rows) => {
      for (let i = 0; i < rows; i++) clearWhere(valid, i * steps, tile.valid, steps);
    });
    this.held = tile;
  }
}

/** Takes away what is there in cells from `at` on. */
function clearWhere(valid: Uint8Array, at: number, absent: Uint8Array, steps: number): void {
  for (let step = 0; step < steps; step++) if (valid[at + step] !== 0) absent[step] = 0;
}
