// Samples out of chunks, and into new ones. For rewriting: overlaps and deletions.
//
// Floats are columns; their values move as two u32 halves, because a NaN's payload would not survive as a JavaScript
// number. Lists that have histograms are objects, one a sample.

import { CHUNK_SAMPLES_MAX, decodeXor, encodeXor, sharedHistogramChunks } from '@flotilla/kernel';
import { CorruptionError } from '@flotilla/model';
import type { RawChunk } from '../api.ts';
import { decodeHistograms } from '../histogram/histogram-decoder.ts';
import type { NativeHistogram } from '../histogram/native-histogram.ts';
import { OpenHistogram } from '../histogram/open-histogram.ts';

export interface FloatColumns {
  readonly times: Float64Array;
  /** Raw bits; two words a sample. */
  readonly words: Uint32Array;
  readonly count: number;
}

/** One sample of either kind. */
export interface AnySample {
  readonly timeMs: number;
  /** Of a float: its bits. */
  readonly low: number;
  readonly high: number;
  readonly histogram: NativeHistogram | undefined;
}

/** The samples of a chunk of floats. Throws CorruptionError if it is damaged. */
export function floatsOf(chunk: RawChunk): FloatColumns {
  const times = new Float64Array(Math.min(chunk.samples, CHUNK_SAMPLES_MAX));
  const values = new Float64Array(times.length);
  const count = decodeXor(chunk.data, times, values);
  if (count < 0) throw new CorruptionError('chunk', 0, `XOR chunk of ${chunk.data.length} bytes`);
  return { times, words: new Uint32Array(values.buffer), count };
}

/** Throws CorruptionError if the chunk is damaged. */
export function samplesOf(chunk: RawChunk): AnySample[] {
  if (chunk.encoding !== 1) {
    const { samples } = decodeHistograms(chunk.encoding, chunk.data);
    return samples.map(({ timeMs, histogram }) => ({ timeMs, low: 0, high: 0, histogram }));
  }
  const { times, words, count } = floatsOf(chunk);
  return Array.from({ length: count }, (_, i) => ({
    timeMs: times[i]!,
    low: words[2 * i]!,
    high: words[2 * i + 1]!,
    histogram: undefined,
  }));
}

/** All samples in time order as new chunks; at equal times the chunk that comes later in `chunks` wins. */
export function mergedChunks(chunks: readonly RawChunk[]): RawChunk[] {
  if (chunks.every(({ encoding }) => encoding === 1)) return encodeFloats(mergedFloats(chunks));
  // The sort is stable: of equal times the last one is of the last chunk.
  const all = chunks.flatMap(samplesOf).toSorted((a, b) => a.timeMs - b.timeMs);
  return encodeSamples(all.filter(({ timeMs }, i) => all[i + 1]?.timeMs !== timeMs));
}

/** The samples of some chunks, one after the other. */
function concatenated(chunks: readonly RawChunk[]): FloatColumns {
  const total = chunks.reduce((sum, { samples }) => sum + samples, 0);
  const times = new Float64Array(total);
  const values = new Float64Array(total);
  let at = 0;
  for (const { samples, data } of chunks) {
    const to = at + samples;
    const count = decodeXor(data, times.subarray(at, to), values.subarray(at, to));
    if (count < 0) throw new CorruptionError('chunk', 0, `XOR chunk of ${data.length} bytes`);
    at += count;
  }
  return { times, words: new Uint32Array(values.buffer), count: at };
}

function mergedFloats(chunks: readonly RawChunk[]): FloatColumns {
  const { times, words, count: total } = concatenated(chunks);
  // Ties: the later place is the later chunk. It comes last, and the last one of equal times is kept.
  const order = Uint32Array.from({ length: total }, (_, i) => i).toSorted(
    (a, b) => times[a]! - times[b]! || a - b,
  );
  return picked({ times, words, count: total }, order, (i) => {
    const next = order[i + 1];
    return next === undefined || times[next] !== times[order[i]!];
  });
}

/** The samples at `order[i]` for which keep(i), in that order. */
function picked(from: FloatColumns, order: Uint32Array, keep: (i: number) => boolean): FloatColumns {
  const times = new Float64Array(order.length);
  const words = new Uint32Array(2 * order.length);
  let count = 0;
  for (let i = 0; i < order.length; i++) {
    if (!keep(i)) continue;
    const at = order[i]!;
    times[count] = from.times[at]!;
    words[2 * count] = from.words[2 * at]!;
    words[2 * count + 1] = from.words[2 * at + 1]!;
    count++;
  }
  return { times, words, count };
}

/** Blocks have larger chunks than the head: what a chunk begins with costs as much as twenty samples. */
const BLOCK_CHUNK_SAMPLES = 480;
const CHUNK_BYTES_MAX = 1024;

/** XOR chunks of samples that ascend in time. */
export function encodeFloats(
  { times, words, count }: FloatColumns,
  samplesMax = BLOCK_CHUNK_SAMPLES,
): RawChunk[] {
  const out: RawChunk[] = [];
  const values = new Float64Array(words.buffer, words.byteOffset, count);
  encodeXor(times.subarray(0, count), values, samplesMax, CHUNK_BYTES_MAX, (from, samples, data) => {
    const [minTimeMs, maxTimeMs] = [times[from]!, times[from + samples - 1]!];
    out.push({ minTimeMs, maxTimeMs, samples, encoding: 1, data });
  });
  return out;
}

/** Chunks of samples of either kind, which ascend in time. */
export function encodeSamples(samples: readonly AnySample[]): RawChunk[] {
  const out: RawChunk[] = [];
  for (let from = 0; from < samples.length;) {
    const isFloat = samples[from]!.histogram === undefined;
    let to = from + 1;
    while (to < samples.length && (samples[to]!.histogram === undefined) === isFloat) to++;
    const run = samples.slice(from, to);
    out.push(...(isFloat ? encodeFloats(columnsOf(run)) : encodeHistograms(run)));
    from = to;
  }
  return out;
}

function columnsOf(run: readonly AnySample[]): FloatColumns {
  const times = Float64Array.from(run, ({ timeMs }) => timeMs);
  const words = Uint32Array.from(run.flatMap(({ low, high }) => [low, high]));
  return { times, words, count: run.length };
}

function encodeHistograms(run: readonly AnySample[]): RawChunk[] {
  const out: RawChunk[] = [];
  const [first, ...others] = run;
  const open = OpenHistogram.begun(sharedHistogramChunks(), first!.timeMs, first!.histogram!);
  try {
    for (const { timeMs, histogram } of others) {
      const full = open.append(timeMs, histogram!, -Infinity);
      if (full !== undefined) out.push(full);
    }
    out.push(open.chunk());
  } finally {
    open.free();
  }
  return out;
}
