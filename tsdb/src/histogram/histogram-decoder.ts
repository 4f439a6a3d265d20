// Chunk → native histogram samples, as objects. Safe on hostile bytes: damage throws CorruptionError.

import { type ChunkLayout, HistogramDecoder, rowColumn } from '@flotilla/kernel';
import { CorruptionError } from '@flotilla/model';
import { resetFlag, type ResetFlag } from './reset-flag.ts';
import { type HistogramLayout, type NativeHistogram, staleHistogram } from './native-histogram.ts';

const FLAG_MASK = 0xc0;
const FLOAT_HISTOGRAM = 3;

export interface HistogramSample {
  readonly timeMs: number;
  readonly histogram: NativeHistogram;
}

export interface DecodedHistograms {
  readonly flag: ResetFlag;
  readonly layout: HistogramLayout;
  readonly samples: readonly HistogramSample[];
}

/** All samples of a chunk of encoding 2 or 3. Throws CorruptionError. */
export function decodeHistograms(encoding: number, data: Uint8Array): DecodedHistograms {
  const decoder = new HistogramDecoder();
  const isFloat = encoding === FLOAT_HISTOGRAM;
  if (!decoder.begin(data, isFloat)) throw damaged(data);
  const { schema, zeroThreshold, positiveSpans, negativeSpans, customBounds } = decoder.layout;
  const layout = { schema, zeroThreshold, positiveSpans, negativeSpans, customBounds };
  const flag = (decoder.header & FLAG_MASK) as ResetFlag;
  const samples: HistogramSample[] = [];
  for (let count = decoder.next(); count !== 0; count = decoder.next()) {
    if (count < 0) throw damaged(data);
    const [times, rows] = [decoder.times(), decoder.rows()];
    for (let row = 0; row < count; row++) {
      const common = { ...layout, isFloat, hint: hintOf(flag, samples.length) };
      const histogram = decoder.isStale(row)
        ? staleHistogram(isFloat)
        : histogramOf(rows, row * decoder.stride, common, decoder.layout);
      samples.push({ timeMs: times[row]!, histogram });
    }
  }
  return { flag, layout, samples };
}

function damaged(data: Uint8Array): CorruptionError {
  return new CorruptionError('chunk', 0, `histogram chunk of ${data.length} bytes`);
}

function hintOf(flag: ResetFlag, sample: number): NativeHistogram['hint'] {
  if (flag === resetFlag.gauge) return 'gauge';
  return sample === 0 ? 'unknown' : 'not_reset';
}

function histogramOf(
  rows: Float64Array,
  at: number,
  common: HistogramLayout & Pick<NativeHistogram, 'isFloat' | 'hint'>,
  { positiveIndexes, negativeIndexes }: ChunkLayout,
): NativeHistogram {
  const negativesAt = at + rowColumn.buckets + positiveIndexes.length;
  return {
    ...common,
    isStale: false,
    count: rows[at + rowColumn.count]!,
    zeroCount: rows[at + rowColumn.zeroCount]!,
    sum: rows[at + rowColumn.sum]!,
    positive: countsOf(rows, at + rowColumn.buckets, negativesAt),
    negative: countsOf(rows, negativesAt, negativesAt + negativeIndexes.length),
  };
}

function countsOf(rows: Float64Array, from: number, to: number): number[] {
  const counts: number[] = [];
  for (let i = from; i < to; i++) counts.push(rows[i]!);
  return counts;
}
