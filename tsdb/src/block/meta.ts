// meta.json of a block, as Prometheus writes it.

import { readFileSync } from 'node:fs';

export interface BlockMeta {
  readonly ulid: string;
  readonly minTime: number;
  /** Exclusive. */
  readonly maxTime: number;
  readonly stats: {
    readonly numSamples: number;
    readonly numFloatSamples?: number;
    readonly numSeries: number;
    readonly numChunks: number;
  };
  readonly compaction: { readonly level: number; readonly sources: readonly string[] };
  readonly version: 1;
}

/** Throws SyntaxError or RangeError if it is none. */
export function readMeta(path: string): BlockMeta {
  const meta = JSON.parse(readFileSync(path, 'utf8')) as Partial<BlockMeta> | null;
  if (meta?.version !== 1) throw new RangeError(`version ${String(meta?.version)}, want 1`);
  const { ulid, minTime, maxTime } = meta;
  if (typeof ulid !== 'string' || !Number.isSafeInteger(minTime) || !Number.isSafeInteger(maxTime)) {
    throw new RangeError(`ulid ${String(ulid)}, time ${String(minTime)} to ${String(maxTime)}`);
  }
  return { ...meta, stats: { numSamples: 0, numSeries: 0, numChunks: 0, ...meta.stats } } as BlockMeta;
}

export function metaText(meta: BlockMeta): string {
  return `${JSON.stringify(meta, undefined, '\t')}\n`;
}
