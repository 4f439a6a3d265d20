// From the series of a store's answer to columns, cut to the time range, as they arrive: what came over the wire is not kept.

import { type Labels, soleMetadata } from '@flotilla/model';
import { ColumnDecoder } from '@flotilla/promql';
import type { ColumnArena, Series } from '@flotilla/promql';
import type { SeriesCursor } from '@flotilla/wire';
import { ColumnReader } from './column-reader.ts';
import { IS_AFTER, type LabelCache, SAME_METRIC } from './label-cache.ts';
import type { Columns } from './slot-merge.ts';

export interface DecodeOptions {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** As in the errors of damaged chunks. */
  readonly store: string;
  readonly arena: ColumnArena;
  readonly labels: LabelCache;
  /** Told the bytes of columns before they are made, and, as less than nothing, what of them is not held; throws when they are too many. */
  readonly take: (bytes: number) => void;
}

/** A series as one store has it; the rest as in SeriesMessage. */
export interface StoreSeries extends Series {
  readonly targetId: number;
  readonly intervalMs: number;
  readonly phaseMs: number;
  readonly incomplete: boolean;
}

const bytesPerSample = 16;

/** Decodes the series of one answer, keeping samples of the time range. Throws CorruptionError on a damaged chunk. */
export class SeriesDecoder {
  readonly #options: DecodeOptions;
  readonly #columns: ColumnDecoder;
  readonly #others: ColumnReader;
  /** The times of the series before, which many share. */
  #times: Float64Array | undefined;
  #labels: Labels | undefined;
  /** What holds of all series so far and those before them. */
  #relation = IS_AFTER | SAME_METRIC;

  constructor(options: DecodeOptions) {
    this.#options = options;
    this.#columns = new ColumnDecoder(options.arena);
    this.#others = new ColumnReader(options);
  }

  /** Whether the series came in the order of labels, no labels twice. */
  get isSorted(): boolean {
    return (this.#relation & IS_AFTER) !== 0;
  }

  /** What all series are called, if no other label describes their metric; undefined says nothing. */
  get metric(): string | undefined {
    const isShared = (this.#relation & SAME_METRIC) !== 0;
    return isShared && this.#labels !== undefined ? soleMetadata(this.#labels) : undefined;
  }

  /** Adds the series of a batch. */
  decode(series: SeriesCursor, into: StoreSeries[]): void {
    this.#columns.enter(series.payload);
    while (series.next()) {
      const labels = this.#labelsOf(series);
      const { timestampsMs, values, hasNaN = true, histograms } = this.#columnsOf(labels, series);
      const { targetId, intervalMs, phaseMs, incomplete } = series;
      const one = { labels, timestampsMs, values, hasNaN, targetId, intervalMs, phaseMs, incomplete };
      into.push(histograms === undefined ? one : { ...one, histograms });
    }
  }

  #labelsOf({ view, labelsFrom, labelsTo }: SeriesCursor): Labels {
    const cache = this.#options.labels;
    const labels = cache.of(view, labelsFrom, labelsTo);
    if (this.#labels !== undefined) this.#relation &= cache.relation(this.#labels, labels);
    this.#labels = labels;
    return labels;
  }

  /** Valid until the next ones are asked for. */
  #columnsOf(labels: Labels, series: SeriesCursor): Columns {
    const { minTimeMs, maxTimeMs, take } = this.#options;
    const columns = this.#columns;
    const samples = columns.load(series.chunksFrom, series.chunksTo);
    if (samples < 0) return this.#otherColumns(labels, series);
    take(samples * bytesPerSample);
    if (!columns.decode()) return this.#otherColumns(labels, series);
    columns.keep(minTimeMs, maxTimeMs);
    const { timestampsMs, values } = columns;
    const isShared = timestampsMs === this.#times;
    this.#times = timestampsMs;
    take(values.byteLength + (isShared ? 0 : timestampsMs.byteLength) - samples * bytesPerSample);
    return columns;
  }

  #otherColumns(labels: Labels, { payload, chunksFrom, chunksTo }: SeriesCursor): Columns {
    const list = payload.subarray(chunksFrom, chunksTo);
    return this.#others.read(list, () => `store ${this.#options.store}: series ${labels.toMetric()}`);
  }
}
