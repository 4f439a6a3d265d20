// The open histogram chunk of a series: what fits into it, and what begins the next one.
//
// A chunk has one kind, schema, zero threshold and set of bounds; its buckets may widen while it is open. A counter that
// was reset begins a new one, whose header says so; a gauge only shares chunks with gauges. The chunk itself lies in the
// memory of a kernel, which compares and encodes samples that have its buckets, as nearly all have: the rest is decoded
// and encoded again.

import { type AppendFate, appendFate, CHUNK_HEADER_BYTES } from '@flotilla/kernel';
import type { ChunkGather, HistogramChunks } from '@flotilla/kernel';
import {
  bucketsOfSpans,
  type BucketList,
  sameNumbers,
  spansOfBuckets,
  spreadCounts,
  unionOfIndexes,
} from '@flotilla/model';
import type { RawChunk } from '../api.ts';
import { decodeHistograms } from './histogram-decoder.ts';
import { beginChunk, type EncodedChunk, encodeChunk } from './histogram-encoder.ts';
import { type HistogramLayout, type NativeHistogram, sameSpans, staleHistogram } from './native-histogram.ts';
import { resetFlag, type ResetFlag } from './reset-flag.ts';
import type { SharedLayout } from './shared-layout.ts';

/** Whoever has it frees it. */
export class OpenHistogram {
  private readonly chunks: HistogramChunks;
  /** Either these two, or the chunk of an earlier process, until somebody wants to go on with it. */
  private address = 0;
  private madeLayout: SharedLayout | undefined;
  private kept: RawChunk | undefined;

  private constructor(chunks: HistogramChunks, chunk: EncodedChunk | RawChunk) {
    this.chunks = chunks;
    if ('address' in chunk) this.take(chunk);
    else this.kept = chunk;
  }

  /** Goes on with what chunk() gave. */
  static reopened(chunks: HistogramChunks, chunk: RawChunk): OpenHistogram {
    return new OpenHistogram(chunks, chunk);
  }

  static begun(chunks: HistogramChunks, timeMs: number, first: NativeHistogram): OpenHistogram {
    return new OpenHistogram(chunks, beginChunk(chunks, flagOfFirst(first), timeMs, first));
  }

  private take({ address, layout }: EncodedChunk): void {
    this.free();
    this.address = address;
    this.madeLayout = layout;
    this.kept = undefined;
  }

  /** Takes the chunk of an earlier process into the kernel, if it is one. Throws CorruptionError if that is damaged. */
  goOn(): void {
    if (this.kept !== undefined) this.encodeAgain(this.kept, (sample) => sample);
  }

  private get layout(): SharedLayout {
    this.goOn();
    return this.madeLayout!;
  }

  private encodeAgain(chunk: RawChunk, change: (sample: NativeHistogram) => NativeHistogram): void {
    const { flag, samples } = decodeHistograms(chunk.encoding, chunk.data);
    const changed = samples.map(({ timeMs, histogram }) => ({ timeMs, histogram: change(histogram) }));
    this.take(encodeChunk(this.chunks, { flag, samples: changed }));
  }

  /** A copy of the last sample. */
  get last(): NativeHistogram {
    const { layout, chunks, address } = this;
    const isFloat = chunks.isFloat(address);
    if (chunks.isStale(address)) return staleHistogram(isFloat);
    const { schema, zeroThreshold, positiveSpans, negativeSpans, customBounds } = layout;
    const common = { schema, zeroThreshold, positiveSpans, negativeSpans, customBounds, isFloat };
    const hint = chunks.header(address) === resetFlag.gauge ? 'gauge' : 'unknown';
    return { ...common, hint, ...chunks.last(address) };
  }

  /** That of the chunk, if a sample that is no stale marker has the same. */
  layoutFor(sample: NativeHistogram): SharedLayout | undefined {
    const { madeLayout: layout } = this;
    return layout !== undefined && hasLayout(sample, layout) ? layout : undefined;
  }

  get minTimeMs(): number {
    return this.kept?.minTimeMs ?? this.chunks.minTimeMs(this.address);
  }

  get maxTimeMs(): number {
    return this.kept?.maxTimeMs ?? this.chunks.maxTimeMs(this.address);
  }

  /** A copy of the open chunk. */
  chunk(): RawChunk {
    if (this.kept !== undefined) return this.kept;
    const { chunks, address, minTimeMs, maxTimeMs } = this;
    const encoding = chunks.isFloat(address) ? 3 : 2;
    return { minTimeMs, maxTimeMs, samples: chunks.samples(address), encoding, data: chunks.copy(address) };
  }

  /** Adds it to what a reader gathers; false if there is no room. */
  addTo(gather: ChunkGather): boolean {
    const { kept, chunks, address, minTimeMs, maxTimeMs } = this;
    if (kept === undefined)
      return gather.addHistograms(chunks, address, minTimeMs, maxTimeMs, chunks.isFloat(address) ? 3 : 2);
    const { data, samples, encoding } = kept;
    if (gather.leftBytes < CHUNK_HEADER_BYTES + data.length) return false;
    gather.fill(gather.reserve(minTimeMs, maxTimeMs, samples, encoding, data.length), data);
    return true;
  }

  free(): void {
    if (this.address !== 0) this.chunks.free(this.address);
    this.address = 0;
  }

  /**
   * Appends a newer sample. Chunks end where a multiple of the block duration, rangeStartMs, begins. Returns the chunk that is
   * full if the sample began the next one.
   */
  append(timeMs: number, sample: NativeHistogram, rangeStartMs: number): RawChunk | undefined {
    const fit = this.fitOf(sample);
    if (fit === 'same') {
      const isCounter = sample.hint !== 'gauge';
      const fate = this.chunks.append(this.address, timeMs, sample, isCounter, rangeStartMs);
      return fate === appendFate.appended ? undefined : this.next(flagByFate(fate, sample), timeMs, sample);
    }
    if (typeof fit === 'number') return this.next(fit, timeMs, sample);
    if (this.chunks.isFull(this.address, rangeStartMs)) return this.next(flagAfter(sample), timeMs, sample);
    if (fit.widens) this.encodeAgain(this.chunk(), (earlier) => widened(earlier, fit));
    this.chunks.push(this.address, timeMs, widened(sample, fit));
    return undefined;
  }

  /** Begins the next chunk; returns this one. */
  private next(flag: ResetFlag, timeMs: number, first: NativeHistogram): RawChunk {
    const full = this.chunk();
    const layout = first.isStale || !hasLayout(first, this.layout) ? undefined : this.layout;
    this.take(beginChunk(this.chunks, flag, timeMs, first, layout));
    return full;
  }

  /**
   * The buckets that chunk and sample have together, if they are not the same anyway, or why the sample needs a new chunk.
   * 'same': whether the counter was reset is left to the kernel.
   */
  private fitOf(sample: NativeHistogram): Fit | 'same' | ResetFlag {
    const { layout, chunks, address } = this;
    if (sample.isFloat !== chunks.isFloat(address)) return flagOfFirst(sample);
    const isGauge = sample.hint === 'gauge';
    if (sample.isStale) return 'same';
    if (isGauge !== (chunks.header(address) === resetFlag.gauge)) return flagOfFirst(sample);
    if (sample.hint === 'reset') return resetFlag.reset;
    if (chunks.isStale(address)) return isGauge ? resetFlag.gauge : resetFlag.unknown;
    if (hasLayout(sample, layout)) return 'same';
    const { last } = this;
    const sameShape = sample.schema === layout.schema && sample.zeroThreshold === layout.zeroThreshold;
    if (!sameShape) return flagAfterChange(isGauge, last, sample);
    if (!sameNumbers(sample.customBounds, layout.customBounds))
      return isGauge ? resetFlag.gauge : resetFlag.reset;
    if (!isGauge && wasReset(last, sample)) return resetFlag.reset;
    return fitTogether(last, sample);
  }
}

function hasLayout(sample: NativeHistogram, layout: HistogramLayout): boolean {
  return (
    sample.schema === layout.schema &&
    sample.zeroThreshold === layout.zeroThreshold &&
    sameSpans(sample.positiveSpans, layout.positiveSpans) &&
    sameSpans(sample.negativeSpans, layout.negativeSpans) &&
    sameNumbers(sample.customBounds, layout.customBounds)
  );
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

/** Of a sample with the layout of the chunk that did not take it. */
function flagByFate(fate: AppendFate, sample: NativeHistogram): ResetFlag {
  return fate === appendFate.wentDown ? resetFlag.reset : flagAfter(sample);
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

/** Whether some count went down. Both have the same schema, threshold and bounds. */
function wasReset(last: NativeHistogram, sample: NativeHistogram): boolean {
  if (sample.count < last.count || sample.zeroCount < last.zeroCount) return true;
  return (
    someWentDown(positiveOf(last), positiveOf(sample)) || someWentDown(negativeOf(last), negativeOf(sample))
  );
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
  const positive = { indexes: fit.positive, counts: spreadCounts(positiveOf(sample), fit.positive) };
  const negative = { indexes: fit.negative, counts: spreadCounts(negativeOf(sample), fit.negative) };
  return {
    ...sample,
    positiveSpans: spansOfBuckets(positive),
    negativeSpans: spansOfBuckets(negative),
    positive: Array.from(positive.counts),
    negative: Array.from(negative.counts),
  };
}
