// Warnings and infos that a query gathers besides its result. One text is reported once, at its latest position.

import { formatGoG, goQuote } from '@flotilla/model';
import type { PositionRange } from '../ast.ts';
import { formatRounded, positionText } from './annotation-format.ts';
import type { NodeRanks } from './node-ranks.ts';

interface Annotation {
  readonly info: boolean;
  readonly pos: PositionRange;
  /** When the node that says it is done. */
  readonly rank: number;
  /** What is known of all its occurrences, between the text and the position. */
  readonly detail?: Monotonicity;
}

export type SampleType = 'float' | 'histogram';

/** What histograms were put through when a note about them was made. */
export type HistogramOperation = 'addition' | 'subtraction' | 'aggregation';

/** Where and how much the buckets of classic histograms were corrected. */
export interface Monotonicity {
  readonly minBound: number;
  readonly maxBound: number;
  readonly maxDiff: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly samples: number;
}

/** Which node says something: the one at the position, or the one that it is an argument of. */
type Speaker = 'itself' | 'outer';

export class Annotations {
  /** Of the query at hand. */
  ranks: NodeRanks | undefined;
  private readonly entries = new Map<string, Annotation>();
  private readonly endings: (() => void)[] = [];

  /** Has something to say when all values are computed. */
  atEnd(say: () => void): void {
    this.endings.push(say);
  }

  private add(text: string, entry: Omit<Annotation, 'rank'>, speaker: Speaker): void {
    const rank = this.ranks?.rankOf(entry.pos, speaker === 'itself') ?? 0;
    const known = this.entries.get(text);
    // Of notes with details the first one keeps its place.
    const keeps =
      known !== undefined && (entry.detail === undefined ? known.rank > rank : known.rank <= rank);
    this.entries.set(
      text,
      keeps ? { ...known, ...(entry.detail && { detail: entry.detail }) } : { ...entry, rank },
    );
  }

  private warn(text: string, pos: PositionRange, speaker: Speaker = 'outer'): void {
    this.add(`PromQL warning: ${text}`, { info: false, pos }, speaker);
  }

  private info(text: string, pos: PositionRange, speaker: Speaker = 'outer'): void {
    this.add(`PromQL info: ${text}`, { info: true, pos }, speaker);
  }

  invalidQuantile(q: number, pos: PositionRange): void {
    this.warn(`quantile value should be between 0 and 1, got ${formatGoG(q)}`, pos);
  }

  invalidRatio(ratio: number, cap: number, pos: PositionRange): void {
    const capping = `capping to ${formatGoG(cap)}`;
    this.warn(`ratio value should be between -1 and 1, got ${formatGoG(ratio)}, ${capping}`, pos);
  }

  badBucketLabel(metric: string, le: string, pos: PositionRange): void {
    const label = `bucket label "le" is missing or has a malformed value of ${goQuote(le)}`;
    this.warn(`${label}${forMetric(metric)}`, pos);
  }

  sortInRangeQuery(pos: PositionRange): void {
    this.warn(
      'sort is ineffective for range queries since results are always ordered by labels',
      pos,
      'itself',
    );
  }

  possibleNonCounter(metric: string, pos: PositionRange): void {
    const rule = 'metric might not be a counter, name does not end in _total/_sum/_count/_bucket:';
    this.info(`${rule} ${goQuote(metric)}`, pos);
  }

  incompatibleTypes(op: string, left: SampleType, right: SampleType, pos: PositionRange): void {
    const what = `incompatible sample types encountered for binary operator "${op}"`;
    this.info(`${what}: ${left} ${op} ${right}`, pos, 'itself');
  }

  incompatibleLayouts(op: string, pos: PositionRange): void {
    this.warn(`incompatible bucket layout encountered for binary operator ${op}`, pos, 'itself');
  }

  mixedSamples(metric: string, pos: PositionRange): void {
    this.warn(`encountered a mix of histograms and floats for metric name ${goQuote(metric)}`, pos);
  }

  mixedAggregation(pos: PositionRange): void {
    this.warn('encountered a mix of histograms and floats for aggregation', pos);
  }

  mixedKinds(metric: string, pos: PositionRange): void {
    this.warn(`vector contains a mix of classic and native histograms${forMetric(metric)}`, pos);
  }

  mixedSchemas(metric: string, pos: PositionRange): void {
    const what = 'vector contains a mix of histograms with exponential and custom buckets schemas';
    this.warn(`${what} for metric name ${goQuote(metric)}`, pos);
  }

  notCounter(metric: string, pos: PositionRange): void {
    this.warn(`this native histogram metric is not a counter: ${goQuote(metric)}`, pos);
  }

  notGauge(metric: string, pos: PositionRange): void {
    this.warn(`this native histogram metric is not a gauge: ${goQuote(metric)}`, pos);
  }

  resetCollision(operation: HistogramOperation, pos: PositionRange, speaker?: Speaker): void {
    this.warn(`conflicting counter resets during histogram ${operation}`, pos, speaker);
  }

  boundsReconciled(operation: HistogramOperation, pos: PositionRange, speaker?: Speaker): void {
    this.info(`mismatched custom buckets were reconciled during ${operation}`, pos, speaker);
  }

  ignoredInAggregation(op: string, pos: PositionRange, speaker?: Speaker): void {
    this.info(`ignored histogram in ${op} aggregation`, pos, speaker);
  }

  ignoredInRange(metric: string, pos: PositionRange): void {
    const what = 'ignored histograms in a range containing both floats and histograms for metric name';
    this.info(`${what} ${goQuote(metric)}`, pos);
  }

  nanObservations(effect: 'result' | 'skew', metric: string, pos: PositionRange): void {
    const result = effect === 'result' ? 'result is NaN' : 'result is skewed higher';
    this.info(`input to histogram_quantile has NaN observations, ${result}${forMetric(metric)}`, pos);
  }

  nanObservationsExcluded(metric: string, pos: PositionRange): void {
    const what = 'input to histogram_fraction has NaN observations, which are excluded from all fractions';
    this.info(`${what}${forMetric(metric)}`, pos);
  }

  startTimeOverlap(metric: string, pos: PositionRange): void {
    const what = 'sample has start time that overlaps with previous sample timestamp';
    this.warn(`${what} for metric ${goQuote(metric)}`, pos);
  }

  forcedMonotonicity(metric: string, pos: PositionRange, found: Monotonicity): void {
    const manual = 'https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile';
    const what = `input to histogram_quantile needed to be fixed for monotonicity (see ${manual})`;
    const text = `PromQL info: ${what}${forMetric(metric)}`;
    const detail = joinMonotonicity(this.entries.get(text)?.detail, found);
    this.add(text, { info: true, pos, detail }, 'outer');
  }

  /** The texts, with positions as line:column of `query`. */
  texts(query: string): { warnings: string[]; infos: string[] } {
    for (const say of this.endings.splice(0)) say();
    const warnings: string[] = [];
    const infos: string[] = [];
    for (const [text, entry] of this.entries) {
      const whole = `${text}${detailText(entry.detail)} (${positionText(query, entry.pos)})`;
      (entry.info ? infos : warnings).push(whole);
    }
    return { warnings, infos };
  }
}

function forMetric(metric: string): string {
  return metric === '' ? '' : ` for metric name ${goQuote(metric)}`;
}

function joinMonotonicity(a: Monotonicity | undefined, b: Monotonicity): Monotonicity {
  if (a === undefined) return b;
  return {
    minBound: Math.min(a.minBound, b.minBound),
    maxBound: Math.max(a.maxBound, b.maxBound),
    maxDiff: Math.max(a.maxDiff, b.maxDiff),
    fromMs: Math.min(a.fromMs, b.fromMs),
    toMs: Math.max(a.toMs, b.toMs),
    samples: a.samples + b.samples,
  };
}

function detailText(d: Monotonicity | undefined): string {
  if (d === undefined) return '';
  const bounds = `from buckets ${formatGoG(d.minBound)} to ${formatGoG(d.maxBound)}`;
  const times = `from ${rfc3339(d.fromMs)} to ${rfc3339(d.toMs)}`;
  return `, ${bounds}, with a max diff of ${formatRounded(d.maxDiff)}, over ${d.samples} samples ${times}`;
}

function rfc3339(timeMs: number): string {
  return new Date(Math.trunc(timeMs / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}
