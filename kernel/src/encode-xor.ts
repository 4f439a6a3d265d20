// Hot: encoding of XOR chunks from columns, for blocks that are written anew.

import { sharedInstance } from './instance.ts';

/** A sample takes at most so many bytes. */
const SAMPLE_BYTES_MAX = 19;

let at = 0;
let capacity = 0;

/**
 * Encodes samples of ascending times (ms; values with every NaN bit) as XOR payloads of at most `samplesMax` samples and
 * about `bytesMax` bytes. Calls `onChunk` with the first sample's place, their number, and the payload: a copy.
 */
export function encodeXor(
  times: Float64Array,
  values: Float64Array,
  samplesMax: number,
  bytesMax: number,
  onChunk: (from: number, count: number, data: Uint8Array) => void,
): void {
  const kernel = sharedInstance();
  const { exports } = kernel;
  const bytes = 8 * times.length;
  const want = 2 * bytes + bytesMax + exports.ENCODE_SLACK.value;
  if (want > capacity) {
    exports.free(at, capacity);
    capacity = exports.capacityOf(want) >>> 0;
    at = exports.alloc(capacity) >>> 0;
  }
  kernel.floats.set(times, at >>> 3);
  kernel.floats.set(values, (at + bytes) >>> 3);
  const out = at + 2 * bytes;
  const limit = bytesMax - SAMPLE_BYTES_MAX;
  for (let from = 0; from < times.length;) {
    const left = times.length - from;
    const count = exports.encodeXor(at + 8 * from, at + bytes + 8 * from, left, samplesMax, limit, out) >>> 0;
    const length = exports.encodedBytes.value >>> 0;
    onChunk(from, count, kernel.bytes.slice(out, out + length));
    from += count;
  }
}
