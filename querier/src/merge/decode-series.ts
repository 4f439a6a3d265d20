// From the series of a store's answer to columns, cut to the time range, as they arrive: what came over the wire is not kept.

import type { Labels } from '@flotilla/model';
import { ColumnDecoder } from '@flotilla/promql';
import type { ColumnArena, FloatColumns, Series } from '@flotilla/promql';
import type { SeriesCursor } from '@flotilla/wire';
import { ColumnReader } from './column-reader.ts';
import type { LabelCache } from './label-cache.ts';
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
  /** Whether the series came in the order of labels, no labels twice. */
  isSorted = true;

  constructor(options: DecodeOptions) {
    this.#options = options;
    this.#columns = new ColumnDecoder(options.arena);
    this.#others = new ColumnReader(options);
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

  #labelsOf({ payload, labelsFrom, labelsTo }: SeriesCursor): Labels {
    const cache = this.#options.labels;
    const labels = cache.of(payload, labelsFrom, labelsTo);
    if (this.#labels !== undefined && this.isSorted) this.isSorted = cache.isAfter(this.#labels, labels);
    this.#labels = labels;
    return labels;
  }

  #columnsOf(labels: Labels, { payload, chunksFrom, chunksTo }: SeriesCursor): Columns {
    const { minTimeMs, maxTimeMs, take, store } = this.#options;
    const samples = this.#columns.load(chunksFrom, chunksTo);
    if (samples >= 0) {
      take(samples * bytesPerSample);
      if (this.#columns.decode()) {
        const columns = this.#columns.columns(minTimeMs, maxTimeMs);
        take(this.#bytesOf(columns) - samples * bytesPerSample);
        return columns;
      }
    }
    const list = payload.subarray(chunksFrom, chunksTo);
    return this.#others.read(list, () => `store ${store}: series ${labels.toMetric()}`);
  }

  /** What they add to what is held. */
  #bytesOf({ timestampsMs, values }: FloatColumns): number {
    const isShared = timestampsMs === this.#times;
    this.#times = timestampsMs;
    return values.byteLength + (isShared ? 0 : timestampsMs.byteLength);
  }
}
