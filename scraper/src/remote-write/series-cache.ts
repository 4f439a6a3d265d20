// Hot: what a destination sees of each series: labels with external ones, relabeled, encoded once.
//
// Keyed by ref. An entry that was not used for a while goes: two generations, the older one dropped as a whole.

import { LabelInterner, Labels, LabelsBuilder, relabel, type RelabelRule } from '@flotilla/model';
import type { SeriesRef } from '@flotilla/tsdb';
import { type EncodedLabels, encodeRemoteLabels, type RemoteWriteVersion } from '@flotilla/wire';

/** A series that relabeling drops. */
export const DROPPED = 'dropped';

export type CachedSeries = EncodedLabels | typeof DROPPED;

export interface SeriesCacheOptions {
  readonly version: RemoteWriteVersion;
  readonly externalLabels: readonly (readonly [string, string])[];
  readonly rules: readonly RelabelRule[];
  readonly generationMs?: number;
}

const GENERATION_MS = 10 * 60_000;

export class SeriesCache {
  readonly #options: SeriesCacheOptions;
  #young = new Map<SeriesRef, CachedSeries>();
  #old = new Map<SeriesRef, CachedSeries>();
  readonly #interner = new LabelInterner();
  #bornMs = Date.now();

  constructor(options: SeriesCacheOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Like get(), for what get() or add() has touched since the last age(). */
  readonly peek = (ref: SeriesRef): CachedSeries | undefined => this.#young.get(ref);

  get(ref: SeriesRef): CachedSeries | undefined {
    const young = this.#young.get(ref);
    if (young !== undefined) return young;
    const old = this.#old.get(ref);
    if (old !== undefined) this.#young.set(ref, old);
    return old;
  }

  add(ref: SeriesRef, labels: Labels): CachedSeries {
    const series = this.#seriesOf(labels);
    this.#young.set(ref, series);
    return series;
  }

  #seriesOf(labels: Labels): CachedSeries {
    const { version, rules } = this.#options;
    const relabeled = relabel(this.#withExternal(labels), rules);
    if (relabeled === undefined || relabeled.length === 0) return DROPPED;
    if (version === '2.0') return { labels: this.#shared(relabeled) };
    return { labels: Labels.EMPTY, encoded: encodeRemoteLabels(relabeled) };
  }

  /** Most names and values are those of many series. */
  #shared({ flat }: Labels): Labels {
    return Labels.fromSorted(flat.map((text) => this.#interner.string(text)));
  }

  #withExternal(labels: Labels): Labels {
    const missing = this.#options.externalLabels.filter(([name]) => !labels.has(name));
    if (missing.length === 0) return labels;
    const builder = new LabelsBuilder(labels);
    for (const [name, value] of missing) builder.set(name, value);
    return builder.labels();
  }

  /** Begins a new generation when it is time. */
  age(nowMs: number): void {
    if (nowMs - this.#bornMs < (this.#options.generationMs ?? GENERATION_MS)) return;
    this.#bornMs = nowMs;
    this.#old = this.#young;
    this.#young = new Map();
    this.#interner.clear();
  }
}
