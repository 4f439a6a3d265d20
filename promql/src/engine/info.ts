// info(): adds labels of info series (`target_info` and the like) to the series of the same instance and job.
//
// The info series that has the newest sample counts, step by step, so the labels of a result may change between steps.

import { Labels, LabelsBuilder, type Matcher, METRIC_NAME } from '@flotilla/model';
import { fail, failDuplicate } from './errors.ts';
import type { Evaluation } from './evaluation.ts';
import { InfoJoin } from './info-join.ts';
import type { InstantSelector } from './instant-selector.ts';
import type { Operator } from './operator.ts';
import { HeldOperator } from './simple-operators.ts';
import { listOf } from './series-list.ts';
import { copyCell, makeTile, NOTHING, type Tile } from './tile.ts';

export interface InfoMatchers {
  /** Of the names of info series. */
  readonly names: readonly Matcher[];
  /** Of the labels that are wanted; none means all. */
  readonly data: readonly Matcher[];
}

export class Info extends HeldOperator {
  private readonly input: Operator;
  private readonly source: InstantSelector;
  private readonly matchers: InfoMatchers;
  private readonly labels: Labels[] = [];
  private readonly doomed: number[] = [];
  private readonly rows: Tile[] = [];
  private readonly rowOfKey = new Map<string, number>();
  private readonly enriched = new Map<string, number>();

  /** `source` gives the times of the info series' samples. */
  constructor(input: Operator, source: InstantSelector, matchers: InfoMatchers, evaluation: Evaluation) {
    super(input.grid, evaluation);
    this.input = input;
    this.source = source;
    this.matchers = matchers;
  }

  async open(): Promise<void> {
    await this.input.open();
    await this.source.open();
    const base = await this.evaluation.materialize(this.input, 'info');
    const times = await this.evaluation.materialize(this.source, 'info');
    const join = new InfoJoin(this.input.series.labels, this.source.series.labels, this.matchers.names);
    if (this.source.holdsHistograms(join.infoRows)) fail('this should be an info metric, with float samples');
    for (let step = 0; step < this.grid.steps; step++) {
      this.evaluation.check();
      const newest = join.newestAt(times, step, this.grid.steps);
      this.combine(base, join, newest, step);
    }
    this.finish();
  }

  private combine(base: Tile, join: InfoJoin, newest: Int32Array, step: number): void {
    const { steps } = this.grid;
    for (let row = 0; row < this.input.series.count; row++) {
      if (base.valid[row * steps + step] === NOTHING) continue;
      const infos = join.infosOf(row, newest);
      const target = this.targetRow(row, infos, join.isIgnored(row));
      if (target === -1) continue;
      if (this.rows[target]!.valid[step] !== NOTHING) failDuplicate();
      copyCell(base, row * steps + step, this.rows[target]!, step);
    }
  }

  /** The result row of a series with some info series; -1 if it is left out. */
  private targetRow(row: number, infos: readonly number[], ignored: boolean): number {
    const pair = `${row}/${infos.join(',')}`;
    const known = this.enriched.get(pair);
    if (known !== undefined) return known;
    const own = this.input.series.labels[row]!;
    const labels = ignored ? own : this.enrich(own, infos);
    const target = labels === undefined ? -1 : this.rowOf(labels, this.input.series.doomed[row]!);
    this.enriched.set(pair, target);
    return target;
  }

  private rowOf(labels: Labels, doomed: number): number {
    const known = this.rowOfKey.get(labels.key);
    if (known !== undefined) return known;
    const row = this.labels.push(labels) - 1;
    this.doomed.push(doomed);
    this.rows.push(makeTile(this.grid.steps));
    this.rowOfKey.set(labels.key, row);
    return row;
  }

  /** Undefined for a series without info that wanted a label which is not empty. */
  private enrich(own: Labels, infos: readonly number[]): Labels | undefined {
    const { data } = this.matchers;
    if (infos.length === 0) return data.every((matcher) => matcher.matches('')) ? own : undefined;
    const wanted = new Set(data.map(({ name }) => name));
    const builder = new LabelsBuilder(own);
    const added = new Map<string, string>();
    for (const info of infos) {
      for (const [name, value] of this.source.series.labels[info]!) {
        if (name === METRIC_NAME || (wanted.size > 0 && !wanted.has(name))) continue;
        const other = added.get(name);
        if (other !== undefined && other !== value) fail(`conflicting label: ${name}`);
        if (own.get(name) !== '') continue;
        added.set(name, value);
        builder.set(name, value);
      }
    }
    return builder.labels();
  }

  private finish(): void {
    const { steps } = this.grid;
    this.series = listOf(this.labels, true, Uint8Array.from(this.doomed));
    this.held = this.evaluation.take(this.labels.length, steps, 'info');
    this.rows.forEach((tile, row) => {
      for (let step = 0; step < steps; step++) copyCell(tile, step, this.held, row * steps + step);
    });
  }
}
