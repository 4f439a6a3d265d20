// The series stream: how a store gives sorted series to the querier. Format: docs/format/series-stream.md.
//
// A response is frames, each `uvarint length | checksum(payload), 4 bytes big-endian | payload`, and ends with a trailer.
// A stream without a trailer is a failure, whatever came before it.

import { crc32 } from 'node:zlib';
import { crc32c } from './crc32c.ts';
import type { Checksum } from './framing.ts';

/** A version of the stream: version 2 has another checksum, which costs less. A reader asks for it by `accept`. */
export interface SeriesStreamVersion {
  readonly contentType: string;
  readonly checksum: Checksum;
}

const versions: readonly SeriesStreamVersion[] = [
  { contentType: 'application/x-flotilla-series; version=2', checksum: (bytes) => crc32(bytes) },
  { contentType: 'application/x-flotilla-series; version=1', checksum: crc32c },
];

export const SERIES_ACCEPT = versions.map(({ contentType }) => contentType).join(', ');

/** The best version that an `accept` or `content-type` header names; the first one if it names none. */
export function seriesStreamVersion(header: string | undefined): SeriesStreamVersion {
  return versions.find(({ contentType }) => header?.includes(contentType)) ?? versions.at(-1)!;
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
  /** 0: no limit. */
  readonly limit: number;
  /** When not empty: only series of these targets. */
  readonly targetIds: readonly number[];
}

export interface ChunkMessage {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly samples: number;
  /** 1: XOR; 2, 3: native histograms of whole, of float counts. Numbers as in Prometheus's blocks. */
  readonly encoding: number;
  readonly data: Uint8Array;
}

export interface SeriesMessage {
  /** name, value, name, value, …, sorted by name, as in the external view. */
  readonly labels: readonly string[];
  /** Target (or rule group) that the series comes from; 0 when unknown. The unit of dedup. */
  readonly targetId: number;
  /** Slots are phaseMs + k·intervalMs; intervalMs 0 when unknown. */
  readonly intervalMs: number;
  readonly phaseMs: number;
  /** A slot in the requested range may be missing here: the other replica must be asked for this target. */
  readonly incomplete: boolean;
  readonly chunks: readonly ChunkMessage[];
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

export type SeriesFrame =
  | { readonly kind: 'series'; readonly series: readonly SeriesMessage[] }
  | { readonly kind: 'trailer'; readonly trailer: SeriesTrailer };
