// count_values("label", …): one series for each group and value. The values are formatted once each, not per sample.

import {
  type FloatHistogram,
  formatFloat,
  histogramText,
  isValidUtf8Name,
  type Labels,
  LabelsBuilder,
} from '@flotilla/model';
import { goQuoteText } from '../parser/byte-text.ts';
import { fail } from './errors.ts';
import type { Evaluation } from './evaluation.ts';
import { type Grouping, groupSeries } from './grouping.ts';
import { BaseOperator, type Operator } from './operator.ts';
import { listOf } from './series-list.ts';
import { FLOAT, HISTOGRAM, NOTHING, type Tile } from './tile.ts';

/** Counts of one value in one group. */
interface ValueRow {
  readonly labels: Labels;
  readonly counts: Float64Array;
}

export class CountValues extends BaseOperator {
  private readonly label: string;
  private readonly grouping: Grouping;
  private readonly input: Operator;
  private rows: readonly ValueRow[] = [];

  constructor(label: string, grouping: Grouping, input: Operator, evaluation: Evaluation) {
    super(input.grid, evaluation);
    if (!isValidUtf8Name(label)) fail(`invalid label name ${goQuoteText(label)}`);
    this.label = label;
    this.grouping = grouping;
    this.input = input;
  }

  async open(): Promise<void> {
    await this.input.open();
    const { names, without } = this.grouping;
    // The value replaces a label of that name, so the series' own must not split groups.
    const own = without ? [...names, this.label] : names.filter((name) => name !== this.label);
    const groups = groupSeries(this.input.series, { names: own, without });
    const rows = new Map<string, ValueRow>();
    const { steps } = this.grid;
    await this.evaluation.stream(this.input, 'count_values', (tile, first, count) => {
      for (let i = 0; i < count; i++) {
        const group = groups.of[first + i]!;
        this.countRow(tile, i * steps, (sample) =>
          this.rowOf(rows, group, groups.series.labels[group]!, sample),
        );
      }
    });
    this.rows = [...rows.values()];
    this.series = listOf(
      this.rows.map(({ labels }) => labels),
      true,
    );
  }

  read(from: number, to: number, into: Tile, row: number): void {
    const { steps } = this.grid;
    this.rows.slice(from, to).forEach(({ counts }, i) => {
      const at = (row + i) * steps;
      into.values.set(counts, at);
      for (let step = 0; step < steps; step++) into.valid[at + step] = counts[step]! > 0 ? FLOAT : NOTHING;
    });
  }

  /** Counts the samples of one row of input; neighbours are often equal. */
  private countRow(tile: Tile, at: number, rowOf: (sample: number | FloatHistogram) => ValueRow): void {
    const { values, valid } = tile;
    let last = 0;
    let counts: Float64Array | undefined;
    for (let step = 0; step < this.grid.steps; step++) {
      const cell = at + step;
      if (valid[cell] === NOTHING) continue;
      const value = values[cell]!;
      if (valid[cell] === HISTOGRAM) rowOf(tile.histograms![cell]!).counts[step]!++;
      else {
        if (counts === undefined || !Object.is(value, last)) ({ counts } = rowOf(value));
        last = value;
        counts[step]!++;
      }
    }
  }

  private rowOf(
    rows: Map<string, ValueRow>,
    group: number,
    base: Labels,
    value: number | FloatHistogram,
  ): ValueRow {
    const text =
      typeof value === 'number' ? (Object.is(value, -0) ? '-0' : String(value)) : histogramText(value);
    const key = `${group}/${this.keepsValue() ? text : ''}`;
    let row = rows.get(key);
    if (row === undefined) {
      this.evaluation.budget.take(this.grid.steps * 8, 'count_values');
      row = { labels: this.labelsOf(base, value), counts: new Float64Array(this.grid.steps) };
      rows.set(key, row);
    }
    return row;
  }

  /** `without (label)` takes the value's label away again. */
  private keepsValue(): boolean {
    return !(this.grouping.without && this.grouping.names.includes(this.label));
  }

  private labelsOf(base: Labels, value: number | FloatHistogram): Labels {
    if (!this.keepsValue()) return base;
    const text = labelText(value);
    return new LabelsBuilder(base).set(this.label, text).labels();
  }
}

function labelText(value: number | FloatHistogram): string {
  if (typeof value !== 'number') return histogramText(value);
  return Object.is(value, -0) ? '-0' : formatFloat(value);
}
