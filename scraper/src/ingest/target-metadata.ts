// The metadata that one target says: gathered from the comments of a body that are new, kept if its scrape succeeds.

import type { MetricMetadata } from '@flotilla/wire';
import { shownHelp, type MetadataStore, type MetadataVariant } from './metadata-store.ts';

type News = Map<string, Partial<MetricMetadata>>;

export class TargetMetadata {
  readonly #store: MetadataStore;
  #held: readonly MetadataVariant[] = [];
  readonly #news: News = new Map();

  constructor(store: MetadataStore) {
    this.#store = store;
  }

  /** Notes a comment of the body that is being read. */
  note(metric: string, part: Partial<MetricMetadata>): void {
    this.#news.set(metric, { ...this.#news.get(metric), ...part });
  }

  /** Forgets what was noted. */
  discard(): void {
    if (this.#news.size > 0) this.#news.clear();
  }

  /** Publishes what was noted; what a metric had before and no new comment changes stays. */
  keep(): void {
    if (this.#news.size === 0) return;
    const held = new Map(this.#held.map((variant) => [variant.metric, variant]));
    for (const [metric, news] of this.#news) {
      const before = held.get(metric);
      const { type = 'unknown', help = '', unit = '' } = { ...before, ...news };
      const variant = this.#store.acquire(metric, { type, help, unit });
      if (variant !== undefined) held.set(metric, variant);
      if (before !== undefined && variant !== undefined) this.#store.release(before);
    }
    this.#held = [...held.values()];
    this.#news.clear();
  }

  /** Whether what was noted is not what was said before, of a metric that the target spoke of already. */
  get isChanged(): boolean {
    return this.#held.some(({ metric, type, help, unit }) => {
      const {
        type: newType = type,
        help: newHelp = help,
        unit: newUnit = unit,
      } = this.#news.get(metric) ?? {};
      return newType !== type || shownHelp(newHelp) !== help || newUnit !== unit;
    });
  }

  /** By metric, what was noted included. */
  said(): Map<string, MetricMetadata> {
    const said = new Map<string, MetricMetadata>(this.#held.map((variant) => [variant.metric, variant]));
    for (const [metric, news] of this.#news) {
      const { type = 'unknown', help = '', unit = '' } = { ...said.get(metric), ...news };
      said.set(metric, { type, help: shownHelp(help), unit });
    }
    return said;
  }

  /** What the target says of a metric; of all for ''. */
  of(metric: string): readonly MetadataVariant[] {
    return metric === '' ? this.#held : this.#held.filter((variant) => variant.metric === metric);
  }

  /** The target says nothing any more. */
  free(): void {
    for (const variant of this.#held) this.#store.release(variant);
    this.#held = [];
  }
}
