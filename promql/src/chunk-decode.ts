// Chunks to columns, for storages that hold or receive them.

import { CHUNK_SAMPLES_MAX, decodeXor } from '@flotilla/kernel';
import { CorruptionError } from '@flotilla/model';

/** Prometheus's number for an XOR chunk. */
const encodingXor = 1;

/**
 * Decodes an XOR chunk into the caller's columns and returns the number of samples. Values keep every NaN bit.
 * Throws CorruptionError, naming `where`, when the chunk is damaged, of another encoding, or longer than the columns.
 */
export function decodeXorChunk(
  chunk: { readonly encoding: number; readonly samples: number; readonly data: Uint8Array },
  timestampsMs: Float64Array,
  values: Float64Array,
  where: string,
): number {
  const { encoding, samples, data } = chunk;
  if (encoding !== encodingXor)
    throw new CorruptionError(where, 0, `chunk encoding ${encoding}, want ${encodingXor}`);
  if (samples > CHUNK_SAMPLES_MAX)
    throw new CorruptionError(where, 0, `chunk of ${samples} samples, want at most ${CHUNK_SAMPLES_MAX}`);
  const count = decodeXor(data, timestampsMs, values);
  if (count !== samples)
    throw new CorruptionError(where, 0, `chunk decodes to ${count} samples, want ${samples}`);
  return count;
}
