// The series stream: how a store gives sorted series to the querier. Format: docs/format/series-stream.md.
//
// A response is frames, each `uvarint length | crc32c(payload), 4 bytes big-endian | payload`, and ends with a trailer.
// A stream without a trailer is a failure, whatever came before it.

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
