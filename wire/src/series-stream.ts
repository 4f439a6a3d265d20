// The series stream: how a store gives sorted series to the querier. Format: docs/format/series-stream.md.
//
// A response is frames, each `uvarint length | checksum(payload), 4 bytes big-endian | payload`, and ends with a trailer.
// A stream without a trailer is a failure, whatever came before it.

import { crc32 } from 'node:zlib';
import type { Checksum } from './framing.ts';

/** What a reader asks for by `accept`, and gets as `content-type`. Versions 1 and 2 had chunks as messages of their own, 3 had lists of strings. */
export const SERIES_CONTENT_TYPE = 'application/x-flotilla-series; version=4';

/** Of its frames: CRC-32, for which processors have instructions that JavaScript can reach. */
export const seriesChecksum: Checksum = (bytes) => crc32(bytes);

/** Whether a reader that sends this `accept` takes the version of this process, the only one that it speaks. */
export function acceptsSeries(accept = '*/*'): boolean {
  return accept.includes(SERIES_CONTENT_TYPE) || accept.includes('*/*');
}

/** A matcher as it goes over the wire. */
export interface MatcherMessage {
  readonly type: '=' | '!=' | '=~' | '!~';
  readonly name: string;
  readonly value: string;
}

export interface SeriesRequest {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly matchers: readonly MatcherMessage[];
  readonly skipChunks: boolean;
  /** Only the newest sample of the range will be looked at: a store may leave out others. */
  readonly latestOnly: boolean;
  /** 0: no limit. */
  readonly limit: number;
  /** When not empty: only series of these targets. */
  readonly targetIds: readonly number[];
}

export interface SeriesMessage {
  /** As model's encodeLabels gives them, in the external view. */
  readonly labelSet: Uint8Array;
  /** Target (or rule group) that the series comes from; 0 when unknown. The unit of dedup. */
  readonly targetId: number;
  /** Slots are phaseMs + k·intervalMs; intervalMs 0 when unknown. */
  readonly intervalMs: number;
  readonly phaseMs: number;
  /** A slot in the requested range may be missing here: the other replica must be asked for this target. */
  readonly incomplete: boolean;
  /** A chunk list, as the database gives it and the decoder takes it; nothing in between looks into it. */
  readonly chunkList: Uint8Array;
}

/** [fromMs, toMs] in which the store was not scraping: down, not yet born, its disk full. */
export interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface SeriesTrailer {
  readonly series: number;
  /** Non-empty within the requested range: the other replica must be asked for everything. */
  readonly gaps: readonly Gap[];
  /** Targets with a slot in the range that this store has not filled (scrape failed or late beyond its slot). */
  readonly missedTargetIds: readonly number[];
  /** The limit cut the answer. */
  readonly truncated: boolean;
}
