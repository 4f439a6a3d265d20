// What pushed requests say about their metrics, in the store that targets' metadata are in.

import { METRIC_NAME } from '@flotilla/model';
import type { ReceivedWrite, RemoteMetadata } from '@flotilla/wire';
import type { MetadataStore, MetadataVariant } from '../ingest/metadata-store.ts';

const METRICS_MAX = 100_000;

export class PushedMetadata {
  readonly #store: MetadataStore;
  readonly #held = new Map<string, MetadataVariant>();

  constructor(store: MetadataStore) {
    this.#store = store;
  }

  note({ series, metadata }: ReceivedWrite): void {
    for (const one of metadata) this.#keep(one.metric, one);
    for (const { labels, metadata: about } of series) {
      const at = labels.findIndex((text, i) => i % 2 === 0 && text === METRIC_NAME);
      if (about !== undefined && at >= 0) this.#keep(labels[at + 1]!, about);
    }
  }

  #keep(metric: string, { type, help, unit }: RemoteMetadata): void {
    const held = this.#held.get(metric);
    if (held?.type === type && held.help === help && held.unit === unit) return;
    if (held === undefined && this.#held.size >= METRICS_MAX) return;
    const variant = this.#store.acquire(metric, { type, help, unit });
    if (variant === undefined) return;
    this.#held.set(metric, variant);
    if (held !== undefined) this.#store.release(held);
  }
}
