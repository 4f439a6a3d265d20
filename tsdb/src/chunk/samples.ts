// Float samples in columns: out of chunks, and into new ones. For rewriting: overlaps and deletions.
//
// Values move as two u32 halves: a NaN's payload would not survive as a JavaScript number.

import { CHUNK_SAMPLES_MAX, decodeXor, HeadKernel } from '@flotilla/kernel';
import { CorruptionError } from '@flotilla/model';
import type { RawChunk } from '../api.ts';

export interface Samples {
  readonly times: Float64Array;
  /** Raw bits; two words a sample. */
  readonly words: Uint32Array;
  readonly count: number;
}

function room(count: number): { times: Float64Array; values: Float64Array } {
  return { times: new Float64Array(count), values: new Float64Array(count) };
}

/** The samples of one chunk. Throws CorruptionError if it is damaged. */
export function samplesOf(chunk: RawChunk): Samples {
  const { times, values } = room(Math.min(chunk.samples, CHUNK_SAMPLES_MAX));
  const count = decodeXor(chunk.data, times, values);
  if (count < 0) throw new CorruptionError('chunk', 0, `XOR chunk of ${chunk.data.length} bytes`);
  return { times, words: new Uint32Array(values.buffer), count };
}

/** All samples in time order; at equal times the chunk that comes later in `chunks` wins. */
export function mergedSamples(chunks: readonly RawChunk[]): Samples {
  const parts = chunks.map((chunk) => samplesOf(chunk));
  const total = parts.reduce((sum, { count }) => sum + count, 0);
  const all = room(total);
  const words = new Uint32Array(all.values.buffer);
  let at = 0;
  for (const part of parts) {
    all.times.set(part.times.subarray(0, part.count), at);
    words.set(part.words.subarray(0, 2 * part.count), 2 * at);
    at += part.count;
  }
  // Ties: the later place is the later chunk. It comes last, and the last one of equal times is kept.
  const order = Uint32Array.from({ length: total }, (_, i) => i).toSorted(
    (a, b) => all.times[a]! - all.times[b]! || a - b,
  );
  return picked({ times: all.times, words, count: total }, order, (i) => {
    const next = order[i + 1];
    return next === undefined || all.times[next] !== all.times[order[i]!];
  });
}

/** The samples at `order[i]` for which keep(i), in that order. */
export function picked(from: Samples, order: Uint32Array, keep: (i: number) => boolean): Samples {
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

/** A slot whose first chunk is as long as all others: see mustCut in kernel/assembly/xor-append.ts. */
const REF = firstFullSlot();

function firstFullSlot(): number {
  let slot = 1;
  while ((Math.imul(slot, 2654435761) >>> 16) % 61 !== 60) slot++;
  return slot;
}

let sealed: RawChunk[] = [];
let encoder: HeadKernel | undefined;

/** XOR chunks of at most 120 samples. */
export function encodeSamples({ times, words, count }: Samples): RawChunk[] {
  encoder ??= new HeadKernel((_ref, samples, minTimeMs, maxTimeMs, data) => {
    sealed.push({ minTimeMs, maxTimeMs, samples, encoding: 1, data: data.slice() });
  });
  sealed = [];
  encoder.createSeries(REF);
  encoder.appendRun(REF, times.subarray(0, count), new Float64Array(words.buffer, words.byteOffset, count));
  encoder.sealOpen(REF);
  encoder.deleteSeries(REF);
  return sealed;
}
