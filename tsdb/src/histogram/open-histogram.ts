// The open histogram chunk of a series: what fits into it, and what begins the next one.
//
// A chunk has one kind, schema, zero threshold and set of bounds; its buckets may widen while it is open. A counter that
// was reset begins a new one, whose header says so; a gauge only shares chunks with gauges.

import { bucketsOfSpans, type BucketList, spansOfBuckets } from '@flotilla/model';
import type { RawChunk } from '../api.ts';
import { decodeHistograms } from './histogram-decoder.ts';
import { HistogramEncoder, resetFlag, type ResetFlag } from './histogram-encoder.ts';
import { type NativeHistogram, sameSpans } from './native-histogram.ts';

const TARGET_BYTES = 1024;
const SAMPLES_MIN = 10;
const SAMPLES_MAX = 0xffff;

export class OpenHistogram {
  /** Either this, or the chunk of an earlier process, until somebody wants to go on with it. */
  private made: HistogramEncoder | undefined;
  private kept: RawChunk | undefined;
  private readonly seal: (chunk: RawChunk) => void;

  private constructor(seal: (chunk: RawChunk) => void) {
    this.seal = seal;
  }

  /** Goes on with what chunk() gave. */
  static reopened(chunk: RawChunk, seal: (chunk: RawChunk) => void): OpenHistogram {
    const open = new OpenHistogram(seal);
    open.kept = chunk;
    return open;
  }

  /** `seal` takes each full chunk. */
  static begun(timeMs: number, first: NativeHistogram, seal: (chunk: RawChunk) => void): OpenHistogram {
    const open = new OpenHistogram(seal);
    open.encoder = new HistogramEncoder(flagOfFirst(first), timeMs, first);
    return open;
  }

  private get encoder(): HistogramEncoder {
    this.made ??= encodedAgain(this.kept!, (sample) => sample);
    this.kept = undefined;
    return this.made;
  }

  private set encoder(encoder: HistogramEncoder) {
    this.made = encoder;
  }

  get last(): NativeHistogram {
    return this.encoder.last;
  }

  get minTimeMs(): number {
    return (this.kept ?? this.encoder).minTimeMs;
  }

  get maxTimeMs(): number {
    return (this.kept ?? this.encoder).maxTimeMs;
  }

  /** A copy of the open chunk. */
  chunk(): RawChunk {
    if (this.kept !== undefined) return this.kept;
    const { minTimeMs, maxTimeMs, samples, isFloat } = this.encoder;
    return { minTimeMs, maxTimeMs, samples, encoding: isFloat ? 3 : 2, data: this.encoder.bytes() };
  }

  /** Appends a newer sample. Chunks end where a multiple of the block duration, rangeStartMs, begins. */
  append(timeMs: number, sample: NativeHistogram, rangeStartMs: number): void {
    const fit = this.fitOf(sample);
    const isFull =
      this.maxTimeMs < rangeStartMs ||
      this.encoder.samples === SAMPLES_MAX ||
      (this.encoder.bytesLength >= TARGET_BYTES && this.encoder.samples >= SAMPLES_MIN);
    if (typeof fit === 'number' || isFull) {
      this.seal(this.chunk());
      this.encoder = new HistogramEncoder(typeof fit === 'number' ? fit : flagAfter(sample), timeMs, sample);
      return;
    }
    if (fit === 'same') {
      this.encoder.append(timeMs, sample);
      return;
    }
    if (fit.widens) this.widen(fit);
    this.encoder.append(timeMs, widened(sample, fit));
  }

  /** The buckets that chunk and sample have together, if they are not the same anyway, or why the sample needs a new chunk. */
  private fitOf(sample: NativeHistogram): Fit | 'same' | ResetFlag {
    const { last, layout, flag, isFloat } = this.encoder;
    if (sample.isFloat !== isFloat) return flagOfFirst(sample);
    const isGauge = sample.hint === 'gauge';
    if (sample.isStale) return 'same';
    if (isGauge !== (flag === resetFlag.gauge)) return flagOfFirst(sample);
    if (sample.hint === 'reset') return resetFlag.reset;
    if (last.isStale) return isGauge ? resetFlag.gauge : resetFlag.unknown;
    const sameShape = sample.schema === layout.schema && sample.zeroThreshold === layout.zeroThreshold;
    if (!sameShape) return flagAfterChange(isGauge, last, sample);
    if (!sameBounds(sample.customBounds, layout.customBounds))
      return isGauge ? resetFlag.gauge : resetFlag.reset;
    const isSame =
      sameSpans(sample.positiveSpans, last.positiveSpans) &&
      sameSpans(sample.negativeSpans, last.negativeSpans);
    if (!isGauge && wasReset(last, sample, isSame)) return resetFlag.reset;
    return isSame ? 'same' : fitTogether(last, sample);
  }

  /** Encodes the chunk anew with more buckets. */
  private widen(fit: Fit): void {
    this.encoder = encodedAgain(this.chunk(), (sample) => widened(sample, fit));
  }
}

function encodedAgain(
  chunk: RawChunk,
  change: (sample: NativeHistogram) => NativeHistogram,
): HistogramEncoder {
  const { samples, flag } = decodeHistograms(chunk.encoding, chunk.data);
  const [first, ...others] = samples;
  const encoder = new HistogramEncoder(flag, first!.timeMs, change(first!.histogram));
  for (const { timeMs, histogram } of others) encoder.append(timeMs, change(histogram));
  return encoder;
}

interface Fit {
  readonly positive: readonly number[];
  readonly negative: readonly number[];
  /** Whether the chunk lacks some of them. */
  readonly widens: boolean;
}

function flagOfFirst(sample: NativeHistogram): ResetFlag {
  if (sample.hint === 'gauge') return resetFlag.gauge;
  return sample.hint === 'reset' ? resetFlag.reset : resetFlag.unknown;
}

/** After a chunk that only became full. */
function flagAfter(sample: NativeHistogram): ResetFlag {
  return sample.hint === 'gauge' ? resetFlag.gauge : resetFlag.notReset;
}

function flagAfterChange(isGauge: boolean, last: NativeHistogram, sample: NativeHistogram): ResetFlag {
  if (isGauge) return resetFlag.gauge;
  return sample.count < last.count ? resetFlag.reset : resetFlag.unknown;
}

function positiveOf(histogram: NativeHistogram): BucketList {
  return bucketsOfSpans(histogram.positiveSpans, histogram.positive);
}

function negativeOf(histogram: NativeHistogram): BucketList {
  return bucketsOfSpans(histogram.negativeSpans, histogram.negative);
}

/** Whether some count went down. Both have the same schema, threshold and bounds, and maybe the same buckets. */
function wasReset(last: NativeHistogram, sample: NativeHistogram, hasSameBuckets: boolean): boolean {
  if (sample.count < last.count || sample.zeroCount < last.zeroCount) return true;
  if (hasSameBuckets)
    return anyBelow(sample.positive, last.positive) || anyBelow(sample.negative, last.negative);
  return (
    someWentDown(positiveOf(last), positiveOf(sample)) || someWentDown(negativeOf(last), negativeOf(sample))
  );
}

function anyBelow(now: readonly number[], last: readonly number[]): boolean {
  for (let i = 0; i < now.length; i++) if (now[i]! < last[i]!) return true;
  return false;
}

function someWentDown(last: BucketList, now: BucketList): boolean {
  let j = 0;
  return last.indexes.some((index, i) => {
    while (j < now.indexes.length && now.indexes[j]! < index) j++;
    const count = now.indexes[j] === index ? now.counts[j]! : 0;
    return count < last.counts[i]!;
  });
}

function fitTogether(last: NativeHistogram, sample: NativeHistogram): Fit {
  const [positive, negative] = [positiveOf(last).indexes, negativeOf(last).indexes];
  const all = {
    positive: unionOfIndexes(positive, positiveOf(sample).indexes),
    negative: unionOfIndexes(negative, negativeOf(sample).indexes),
  };
  return { ...all, widens: all.positive.length > positive.length || all.negative.length > negative.length };
}

/** The same sample with buckets at all these indexes. */
function widened(sample: NativeHistogram, fit: Fit): NativeHistogram {
  if (sample.isStale) return sample;
  const positive = spread(positiveOf(sample), fit.positive);
  const negative = spread(negativeOf(sample), fit.negative);
  return {
    ...sample,
    positiveSpans: spansOfBuckets(positive),
    negativeSpans: spansOfBuckets(negative),
    positive: Array.from(positive.counts),
    negative: Array.from(negative.counts),
  };
}

function sameBounds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((bound, i) => bound === b[i]);
}

/** Ascending, each once. */
function unionOfIndexes(a: readonly number[], b: readonly number[]): readonly number[] {
  return [...new Set([...a, ...b])].toSorted((left, right) => left - right);
}

function spread(list: BucketList, indexes: readonly number[]): BucketList {
  const counts = indexes.map(() => 0);
  let i = 0;
  indexes.forEach((index, k) => {
    if (list.indexes[i] === index) counts[k] = list.counts[i++]!;
  });
  return { indexes, counts };
}
