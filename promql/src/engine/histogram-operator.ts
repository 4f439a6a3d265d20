// Hot: histogram_quantile(), histogram_quantiles() and histogram_fraction(), of classic and of native histograms.
//
// The series of a classic histogram are found, and their bounds parsed, once; then each row of the result reads the rows
// of its buckets. If there may be native ones, the input is held whole, to know which of its rows they are. What comes of
// these is then computed at once, and their samples let go, if there is one result and no classic histogram of their labels.

import { type FloatHistogram, LabelsBuilder, type Labels, METRIC_NAME, parseGoFloat } from '@flotilla/model';
import type { PositionRange } from '../ast.ts';
import { BucketSet } from './bucket-quantile.ts';
import type { Evaluation } from './evaluation.ts';
import { BaseOperator, type Operator } from './operator.ts';
import { filterLabels, listOf, type SeriesList, withoutNames } from './series-list.ts';
import { anyFloat, copyRows, FLOAT, HISTOGRAM, histogramAt, makeTile, NOTHING, type Tile } from './tile.ts';

interface Bucket {
  readonly row: number;
  readonly bound: number;
}

/** One histogram: its buckets by bound, and the labels that they share. */
interface Histogram {
  readonly labels: Labels;
  readonly buckets: Bucket[];
  /** Those of the buckets, once they are in order. */
  bounds: Float64Array;
  /** The input's row of native histograms that have the very same labels, -1 for none. */
  readonly rival: number;
}

const NO_BOUNDS = new Float64Array(0);

/** One result that each histogram has. */
export interface BucketResult {
  /** Scalars that it takes. */
  readonly params: readonly Operator[];
  readonly compute: (buckets: BucketSet, a: number, b: number) => number;
  /** `metric` is for annotations. */
  readonly computeNative: (histogram: FloatHistogram, a: number, b: number, metric: string) => number;
  /** The label that tells this result from the others, and its value for the first parameter's. */
  readonly label?: readonly [name: string, value: (param: number) => string];
  /** Where φ is in the query, if the result is a quantile. */
  readonly phiPos?: PositionRange;
}

/** A result with its parameters by step. One whose label changes between steps is there once for each label. */
interface OpenResult {
  readonly result: BucketResult;
  readonly params: readonly Float64Array[];
  readonly label: readonly [name: string, value: string] | undefined;
}

/** Gives a result one row for each label that it has at any step. */
function byLabel(result: BucketResult, params: readonly Float64Array[]): OpenResult[] {
  const { label } = result;
  if (label === undefined) return [{ result, params, label }];
  const [name, valueOf] = label;
  const values = new Set(Array.from(params[0]!, valueOf));
  return Array.from(values, (value) => ({ result, params, label: [name, value] as const }));
}

export class HistogramFunction extends BaseOperator {
  private readonly input: Operator;
  private readonly inputPos: PositionRange;
  private readonly results: readonly BucketResult[];
  private histograms: readonly Histogram[] = [];
  /** Rows of the input with native histograms. */
  private natives: readonly number[] = [];
  private held: Tile | undefined;
  private opened: readonly OpenResult[] = [];
  private scratch: Tile = makeTile(0);
  private buckets = new BucketSet(0);

  constructor(input: Operator, pos: PositionRange, results: readonly BucketResult[], evaluation: Evaluation) {
    super(input.grid, evaluation);
    this.input = input;
    this.inputPos = pos;
    this.results = results;
  }

  async open(): Promise<void> {
    const opened: OpenResult[] = [];
    for (const result of this.results) opened.push(...byLabel(result, await this.openParams(result)));
    this.opened = opened;
    await this.input.open();
    if (this.evaluation.anyHistograms) await this.findNatives();
    this.histograms = await this.findHistograms();
    const most = this.histograms.reduce((size, { buckets }) => Math.max(size, buckets.length), 0);
    this.scratch = this.evaluation.take(most, this.grid.steps, 'a histogram');
    this.buckets = new BucketSet(most);
    this.series = this.resultSeries();
  }

  /** Rows are result by result: all histograms for the first one, native before classic, then all for the second. */
  read(from: number, to: number, into: Tile, row: number): void {
    const natives = this.natives.length;
    const count = natives + this.histograms.length;
    for (let i = from; i < to; i++) {
      const at = (row + i - from) * this.grid.steps;
      const result = Math.floor(i / count);
      const index = i % count;
      if (index < natives) this.readNative(result, index, into, at);
      else this.readRow(result, this.histograms[index - natives]!, into, at);
      this.evaluation.check();
    }
  }

  private async findNatives(): Promise<void> {
    const { steps } = this.grid;
    const { labels } = this.input.series;
    const natives: number[] = [];
    const classic = this.opened.length === 1 ? classicKeys(labels) : undefined;
    this.held = await this.evaluation.materialize(this.input, 'histograms', (tile, from, to) => {
      for (let row = from; row < to && tile.histograms !== undefined; row++) {
        if (!tile.valid.subarray(row * steps, (row + 1) * steps).includes(HISTOGRAM)) continue;
        natives.push(row);
        if (classic?.has(labels[row]!.key) === false) this.computeAhead(tile, row);
      }
    });
    this.natives = natives;
  }

  /** Makes floats of the histograms in a row of what is held. */
  private computeAhead(tile: Tile, row: number): void {
    const { steps } = this.grid;
    const { params, result } = this.opened[0]!;
    const [a, b] = params;
    const metric = this.nameOf(this.input.series.labels[row]!);
    for (let step = 0; step < steps; step++) {
      const cell = row * steps + step;
      const histogram = histogramAt(tile, cell);
      if (histogram === undefined) continue;
      tile.values[cell] = result.computeNative(histogram, a![step]!, b?.[step] ?? 0, metric);
      tile.histograms![cell] = undefined;
    }
  }

  private readInput(row: number, into: Tile, at: number): void {
    if (this.held === undefined) this.input.read(row, row + 1, into, at);
    else copyRows(this.held, row, into, at, 1, this.grid.steps);
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
    const rivals = new Map(this.natives.map((row) => [all[row]!.key, row]));
    for (let row = 0; row < all.length; row++) {
      const labels = all[row]!;
      const bound = parseGoFloat(labels.get('le'));
      if (bound === undefined) {
        await this.warnOfLabel(row, labels);
        continue;
      }
      const own = withoutBound(labels);
      const rival = rivals.get(own.key) ?? -1;
      const histogram = found.get(own.key) ?? { labels: own, buckets: [], bounds: NO_BOUNDS, rival };
      histogram.buckets.push({ row, bound });
      found.set(own.key, histogram);
    }
    for (const histogram of found.values()) {
      histogram.buckets.sort((a, b) => (a.bound === b.bound ? 0 : a.bound < b.bound ? -1 : 1));
      histogram.bounds = Float64Array.from(histogram.buckets, ({ bound }) => bound);
    }
    return [...found.values()];
  }

  /** Warns of a series that is no bucket, if it has any sample. */
  private async warnOfLabel(row: number, labels: Labels): Promise<void> {
    await this.evaluation.breathe();
    const { steps } = this.grid;
    const tile = this.evaluation.take(1, steps, 'a histogram');
    this.readInput(row, tile, 0);
    if (anyFloat(tile.valid, 0, steps)) {
      this.evaluation.annotations.badBucketLabel(this.nameOf(labels), labels.get('le'), this.inputPos);
    }
    this.evaluation.give(tile);
  }

  /** Names are in annotations only while labels still have them. */
  private nameOf(labels: Labels): string {
    return this.evaluation.delayedNameRemoval ? labels.get(METRIC_NAME) : '';
  }

  private resultSeries(): SeriesList {
    const natives = this.natives.map((row) => this.input.series.labels[row]!);
    const own = listOf([...natives, ...this.histograms.map(({ labels }) => labels)], natives.length === 0);
    const { delayedNameRemoval } = this.evaluation;
    const bare = withoutNames(own, delayedNameRemoval);
    const lists = this.opened.map(({ label }) => {
      if (label === undefined) return bare.labels;
      return bare.labels.map((labels) => new LabelsBuilder(labels).set(...label).labels());
    });
    const all = listOf(lists.flat(), lists.length === 1 && bare.unique);
    if (delayedNameRemoval) all.doomed.fill(1);
    return all;
  }

  private readRow(index: number, histogram: Histogram, into: Tile, at: number): void {
    const { steps } = this.grid;
    const { scratch, buckets } = this;
    const opened = this.opened[index]!;
    const { result } = opened;
    const [a, b] = opened.params;
    const { length: size } = histogram.buckets;
    for (let i = 0; i < size; i++) this.readInput(histogram.buckets[i]!.row, scratch, i);
    const isPlain = histogram.rival === -1 && opened.label === undefined;
    const forced = result.phiPos === undefined ? undefined : new ForcedRow();
    for (let step = 0; step < steps; step++) {
      this.gather(histogram, step);
      const alone = buckets.size > 0 && (isPlain || (!this.hasRival(histogram, step) && isAt(opened, step)));
      into.valid[at + step] = alone ? FLOAT : NOTHING;
      if (!alone) continue;
      into.values[at + step] = result.compute(buckets, a![step]!, b?.[step] ?? 0);
      if (buckets.forced) forced?.add(buckets, step);
    }
    if (forced !== undefined && forced.samples > 0) this.noteForced(histogram, forced);
  }

  /** Fills the buckets with what a histogram's rows, in `scratch`, have at a step. */
  private gather({ bounds }: Histogram, step: number): void {
    const { buckets } = this;
    const { values, valid } = this.scratch;
    const { steps } = this.grid;
    buckets.clear();
    for (let i = 0, cell = step; i < bounds.length; i++, cell += steps) {
      if (valid[cell] === FLOAT) buckets.push(bounds[i]!, values[cell]!);
    }
  }

  private hasRival({ rival }: Histogram, step: number): boolean {
    return rival !== -1 && this.held!.valid[rival * this.grid.steps + step] === HISTOGRAM;
  }

  private readNative(index: number, native: number, into: Tile, at: number): void {
    const { steps } = this.grid;
    const row = this.natives[native]!;
    const labels = this.input.series.labels[row]!;
    const metric = this.nameOf(labels);
    const classic = this.histograms.find((one) => one.rival === row);
    const held = this.held!;
    const opened = this.opened[index]!;
    const [a, b] = opened.params;
    for (let step = 0; step < steps; step++) {
      const cell = row * steps + step;
      into.valid[at + step] = NOTHING;
      if (held.valid[cell] !== HISTOGRAM || !isAt(opened, step)) continue;
      if (classic !== undefined && this.hasBucketsAt(classic, step)) {
        this.evaluation.annotations.mixedKinds(metric, this.inputPos);
        continue;
      }
      const histogram = held.histograms![cell];
      into.valid[at + step] = FLOAT;
      into.values[at + step] =
        histogram === undefined
          ? held.values[cell]!
          : opened.result.computeNative(histogram, a![step]!, b?.[step] ?? 0, metric);
    }
  }

  private hasBucketsAt({ buckets }: Histogram, step: number): boolean {
    return buckets.some(({ row }) => this.held!.valid[row * this.grid.steps + step] === FLOAT);
  }

  private noteForced(histogram: Histogram, forced: ForcedRow): void {
    const { startMs, stepMs } = this.grid;
    this.evaluation.annotations.forcedMonotonicity(this.nameOf(histogram.labels), this.inputPos, {
      minBound: forced.minBound,
      maxBound: forced.maxBound,
      maxDiff: forced.maxDiff,
      fromMs: startMs + forced.firstStep * stepMs,
      toMs: startMs + forced.lastStep * stepMs,
      samples: forced.samples,
    });
  }
}

/** Keys of the labels of classic histograms. */
function classicKeys(labels: readonly Labels[]): Set<string> {
  const keys = new Set<string>();
  for (const one of labels) {
    if (parseGoFloat(one.get('le')) !== undefined) keys.add(withoutBound(one).key);
  }
  return keys;
}

/** What a bucket shares with the others of its histogram. */
function withoutBound(labels: Labels): Labels {
  return filterLabels(labels, (name) => name !== 'le');
}

/** What quantiles of one row had to correct. */
class ForcedRow {
  minBound = Infinity;
  maxBound = -Infinity;
  maxDiff = 0;
  firstStep = 0;
  lastStep = 0;
  samples = 0;

  add({ minForced, maxForced, maxDiff }: BucketSet, step: number): void {
    if (this.samples++ === 0) this.firstStep = step;
    this.lastStep = step;
    this.minBound = Math.min(this.minBound, minForced);
    this.maxBound = Math.max(this.maxBound, maxForced);
    this.maxDiff = Math.max(this.maxDiff, maxDiff);
  }
}

/** Whether a result has its label at a step. */
function isAt({ result, params, label }: OpenResult, step: number): boolean {
  return label === undefined || result.label![1](params[0]![step]!) === label[1];
}
