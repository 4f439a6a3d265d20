// Chunks of one series from several places, as one ascending list without overlaps.

import { decodeXor, HeadKernel } from '@flotilla/kernel';
import type { RawChunk } from './api.ts';

/** Sorts by time; decodes and encodes only what overlaps. At equal times the chunk that comes later in `chunks` wins. */
export function mergeChunks(chunks: readonly RawChunk[]): RawChunk[] {
  const sorted = chunks.toSorted((a, b) => a.minTimeMs - b.minTimeMs);
  const out: RawChunk[] = [];
  for (let from = 0; from < sorted.length;) {
    let to = from + 1;
    let maxTimeMs = sorted[from]!.maxTimeMs;
    while (to < sorted.length && sorted[to]!.minTimeMs <= maxTimeMs) {
      maxTimeMs = Math.max(maxTimeMs, sorted[to]!.maxTimeMs);
      to++;
    }
    if (to === from + 1) out.push(sorted[from]!);
    else
      out.push(
        ...rewritten(
          chunks.filter((chunk) => sorted.indexOf(chunk, from) < to && sorted.indexOf(chunk, from) >= from),
        ),
      );
    from = to;
  }
  return out;
}

/** The samples of overlapping chunks as new chunks. Undecodable ones are left out. */
function rewritten(chunks: readonly RawChunk[]): RawChunk[] {
  const bits = new Map<number, bigint>();
  for (const { data, samples } of chunks) {
    const times = new Float64Array(samples);
    const values = new Float64Array(samples);
    const count = decodeXor(data, times, values);
    const raw = new BigUint64Array(values.buffer);
    for (let i = 0; i < count; i++) bits.set(times[i]!, raw[i]!);
  }
  return encode([...bits].toSorted(([a], [b]) => a - b));
}

function encode(samples: readonly (readonly [number, bigint])[]): RawChunk[] {
  const out: RawChunk[] = [];
  const kernel = new HeadKernel((_ref, count, minTimeMs, maxTimeMs, data) => {
    out.push({ minTimeMs, maxTimeMs, samples: count, encoding: 1, data: data.slice() });
  });
  const ref = Uint32Array.of(1);
  const value = new Float64Array(1);
  const bits = new BigUint64Array(value.buffer);
  kernel.createSeries(1);
  for (const [timeMs, raw] of samples) {
    bits[0] = raw;
    kernel.stage(1, ref, value, 1, timeMs);
  }
  kernel.apply(1, -(2 ** 52), 2 ** 31 - 1);
  kernel.sealOpen(1);
  return out;
}
