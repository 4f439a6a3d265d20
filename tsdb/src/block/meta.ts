// meta.json of a block, as Prometheus writes it.

import { readFileSync } from 'node:fs';

export interface BlockStats {
  readonly numSamples: number;
  readonly numFloatSamples?: number;
  readonly numHistogramSamples?: number;
  readonly numSeries: number;
  readonly numChunks: number;
  readonly numTombstones?: number;
}

export interface BlockParent {
  readonly ulid: string;
  readonly minTime: number;
  readonly maxTime: number;
}

export interface Compaction {
  readonly level: number;
  /** The level-1 blocks that are in it. */
  readonly sources: readonly string[];
  /** The blocks that it was made of, and replaces. */
  readonly parents?: readonly BlockParent[];
  /** It cannot be compacted further. */
  readonly failed?: boolean;
  readonly hints?: readonly string[];
}

export interface BlockMeta {
  readonly ulid: string;
  readonly minTime: number;
  /** Exclusive. */
  readonly maxTime: number;
  readonly stats: BlockStats;
  readonly compaction: Compaction;
  readonly version: 1;
}

/** The hint of blocks that do not say how far the head was compacted. */
export const OUT_OF_ORDER_HINT = 'from-out-of-order';

export function isOutOfOrder({ compaction }: BlockMeta): boolean {
  return compaction.hints?.includes(OUT_OF_ORDER_HINT) ?? false;
}

/** Throws SyntaxError or RangeError if it is none. */
export function readMeta(path: string): BlockMeta {
  const meta = JSON.parse(readFileSync(path, 'utf8')) as Partial<BlockMeta> | null;
  if (meta?.version !== 1) throw new RangeError(`version ${String(meta?.version)}, want 1`);
  const { ulid, minTime, maxTime } = meta;
  if (typeof ulid !== 'string' || !Number.isSafeInteger(minTime) || !Number.isSafeInteger(maxTime)) {
    throw new RangeError(`ulid ${String(ulid)}, time ${String(minTime)} to ${String(maxTime)}`);
  }
  const stats = { numSamples: 0, numSeries: 0, numChunks: 0, ...meta.stats };
  const compaction = { level: 1, ...meta.compaction, sources: meta.compaction?.sources ?? [ulid] };
  return { ...meta, stats, compaction } as BlockMeta;
}

export function metaText(meta: BlockMeta): string {
  return `${JSON.stringify(meta, undefined, '\t')}\n`;
}
