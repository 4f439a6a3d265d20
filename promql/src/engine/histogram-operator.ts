// histogram_quantile(), histogram_quantiles() and histogram_fraction() of classic histograms.
//
// The series of a histogram are found, and their bounds parsed, once; then each row of the result reads the rows of its
// buckets.

import { LabelsBuilder, type Labels, METRIC_NAME, parseGoFloat } from '@flotilla/model';
import type { PositionRange } from '../ast.ts';
import { BucketSet } from './bucket-quantile.ts';
import type { Evaluation } from './evaluation.ts';
import { BaseOperator, type Operator } from './operator.ts';
import { filterLabels, listOf, type SeriesList, withoutNames } from './series-list.ts';
import { anyValid, makeTile, type Tile } from './tile.ts';

interface Bucket {
  readonly row: number;
  readonly bound: number;
}

/** One histogram: its buckets by bound, and the labels that they share. */
interface Histogram {
  readonly labels: Labels;
  readonly buckets: Bucket[];
}

/** One result that each histogram has. */
export interface BucketResult {
  /** Scalars that it takes. */
  readonly params: readonly Operator[];
  readonly compute: (buckets: BucketSet, a: number, b: number) => number;
  /** The label that tells this result from the others. */
  readonly label?: readonly [name: string, value: (params: readonly Float64Array[]) => string];
  /** Where φ is in the query, if the result is a quantile. */
  readonly phiPos?: PositionRange;
}

export class HistogramFunction extends BaseOperator {
  private readonly input: Operator;
  private readonly inputPos: PositionRange;
  private readonly results: readonly BucketResult[];
  private histograms: readonly Histogram[] = [];
  private params: readonly (readonly Float64Array[])[] = [];
  private scratch: Tile = makeTile(0);
  private buckets = new BucketSet(0);

  constructor(input: Operator, pos: PositionRange, results: readonly BucketResult[], evaluation: Evaluation) {
    super(input.grid, evaluation);
    this.input = input;
    this.inputPos = pos;
    this.results = results;
  }

  async open(): Promise<void> {
    const params: Float64Array[][] = [];
    for (const result of this.results) params.push(await this.openParams(result));
    this.params = params;
    await this.input.open();
    this.histograms = await this.findHistograms();
    const most = this.histograms.reduce((size, { buckets }) => Math.max(size, buckets.length), 0);
    this.scratch = this.evaluation.take(most, this.grid.steps, 'a histogram');
    this.buckets = new BucketSet(most);
    this.series = this.resultSeries();
  }

  /** Rows are result by result: all histograms for the first one, then all for the second. */
  read(from: number, to: number, into: Tile, row: number): void {
    const count = this.histograms.length;
    for (let i = from; i < to; i++) {
      const at = (row + i - from) * this.grid.steps;
      this.readRow(Math.floor(i / count), this.histograms[i % count]!, into, at);
      this.evaluation.check();
    }
  }

  private async openParams(result: BucketResult): Promise<Float64Array[]> {
    const rows: Float64Array[] = [];
    for (const param of result.params) {
      await param.open();
      rows.push(await this.evaluation.scalarRow(param));
    }
    if (result.phiPos === undefined) return rows;
    for (const phi of rows[0]!) {
      if (!(phi >= 0 && phi <= 1)) this.evaluation.annotations.invalidQuantile(phi, result.phiPos);
    }
    return rows;
  }

  private async findHistograms(): Promise<Histogram[]> {
    const found = new Map<string, Histogram>();
    const { labels: all } = this.input.series;
    for (let row = 0; row < all.length; row++) {
      const labels = all[row]!;
      const bound = parseGoFloat(labels.get('le'));
      if (bound === undefined) {
        await this.warnOfLabel(row, labels);
        continue;
      }
      const own = filterLabels(labels, (name) => name !== 'le');
      const histogram = found.get(own.key) ?? { labels: own, buckets: [] };
      histogram.buckets.push({ row, bound });
      found.set(own.key, histogram);
    }
    for (const { buckets } of found.values())
      buckets.sort((a, b) => (a.bound === b.bound ? 0 : a.bound < b.bound ? -1 : 1));
    return [...found.values()];
  }

  /** Warns of a series that is no bucket, if it has any sample. */
  private async warnOfLabel(row: number, labels: Labels): Promise<void> {
    await this.evaluation.breathe();
    const { steps } = this.grid;
    const tile = this.evaluation.take(1, steps, 'a histogram');
    this.input.read(row, row + 1, tile, 0);
    if (anyValid(tile.valid, 0, steps)) {
      this.evaluation.annotations.badBucketLabel(this.nameOf(labels), labels.get('le'), this.inputPos);
    }
    this.evaluation.give(tile);
  }

  /** Names are in annotations only while labels still have them. */
  private nameOf(labels: Labels): string {
    return this.evaluation.delayedNameRemoval ? labels.get(METRIC_NAME) : '';
  }

  private resultSeries(): SeriesList {
    const own = listOf(
      this.histograms.map(({ labels }) => labels),
      true,
    );
    const { delayedNameRemoval } = this.evaluation;
    const bare = withoutNames(own, delayedNameRemoval);
    const lists = this.results.map(({ label }, i) => {
      if (label === undefined) return bare.labels;
      const value = label[1](this.params[i]!);
      return bare.labels.map((labels) => new LabelsBuilder(labels).set(label[0], value).labels());
    });
    const all = listOf(lists.flat(), lists.length === 1 && bare.unique);
    if (delayedNameRemoval) all.doomed.fill(1);
    return all;
  }

  private readRow(index: number, histogram: Histogram, into: Tile, at: number): void {
    const { steps } = this.grid;
    const { scratch, buckets } = this;
    const result = this.results[index]!;
    const [a, b] = this.params[index]!;
    histogram.buckets.forEach(({ row }, i) => this.input.read(row, row + 1, scratch, i));
    for (let step = 0; step < steps; step++) {
      buckets.clear();
      histogram.buckets.forEach(({ bound }, i) => {
        const cell = i * steps + step;
        if (scratch.valid[cell] === 1) buckets.push(bound, scratch.values[cell]!);
      });
      into.valid[at + step] = buckets.size > 0 ? 1 : 0;
      if (buckets.size === 0) continue;
      into.values[at + step] = result.compute(buckets, a![step]!, b?.[step] ?? 0);
      if (result.phiPos !== undefined && buckets.forced) this.noteForced(histogram, step);
    }
  }

  private noteForced(histogram: Histogram, step: number): void {
    const timeMs = this.grid.startMs + step * this.grid.stepMs;
    const { minForced, maxForced, maxDiff } = this.buckets;
    this.evaluation.annotations.forcedMonotonicity(this.nameOf(histogram.labels), this.inputPos, {
      minBound: minForced,
      maxBound: maxForced,
      maxDiff,
      fromMs: timeMs,
      toMs: timeMs,
      samples: 1,
    });
  }
}
