// What targets say about their metrics: type, help, unit. Shared by all targets, since most of them say the same.
// Bounded: a metric keeps a few variants, the store a number of metrics; what nobody has said for a while is forgotten.

import type { MetadataResponse, MetricMetadata } from '@flotilla/wire';

interface Variant extends MetricMetadata {
  seenMs: number;
}

const metricsMax = 100_000;
const variantsMax = 8;
const helpMaxLength = 2048;
const forgetAfterMs = 3_600_000;

export class MetadataStore {
  readonly #metrics = new Map<string, Variant[]>();

  get size(): number {
    return this.#metrics.size;
  }

  add(metric: string, metadata: MetricMetadata, nowMs: number): void {
    const variants = this.#metrics.get(metric) ?? [];
    const help = metadata.help.slice(0, helpMaxLength);
    const known = variants.find(
      (variant) => variant.type === metadata.type && variant.help === help && variant.unit === metadata.unit,
    );
    if (known !== undefined) {
      known.seenMs = nowMs;
      return;
    }
    if (variants.length >= variantsMax || (variants.length === 0 && this.#metrics.size >= metricsMax)) return;
    variants.push({ ...metadata, help, seenMs: nowMs });
    this.#metrics.set(metric, variants);
  }

  /** Of one metric or, for '', of all; at most `limit` metrics unless it is 0. */
  get(metric: string, limit: number): MetadataResponse {
    const names = metric === '' ? [...this.#metrics.keys()].toSorted() : [metric];
    const wanted = limit > 0 ? names.slice(0, limit) : names;
    const entries = wanted.flatMap((name) => {
      const variants = this.#metrics.get(name);
      return variants === undefined ? [] : [[name, variants.map(published)] as const];
    });
    return { metadata: Object.fromEntries(entries) };
  }

  /** Drops what was last said long ago. */
  forget(nowMs: number): void {
    for (const [metric, variants] of this.#metrics) {
      const kept = variants.filter(({ seenMs }) => nowMs - seenMs < forgetAfterMs);
      if (kept.length === 0) this.#metrics.delete(metric);
      else if (kept.length < variants.length) this.#metrics.set(metric, kept);
    }
  }
}

function published({ type, help, unit }: Variant): MetricMetadata {
  return { type, help, unit };
}

/** Gathers the metadata lines of one body, to be stored if the scrape succeeds. */
export class MetadataSink {
  readonly #families = new Map<string, { type: string; help: string; unit: string }>();

  set(family: string, field: 'type' | 'help' | 'unit', text: string): void {
    let metadata = this.#families.get(family);
    if (metadata === undefined) {
      metadata = { type: 'unknown', help: '', unit: '' };
      this.#families.set(family, metadata);
    }
    metadata[field] = text;
  }

  storeIn(store: MetadataStore, nowMs: number): void {
    for (const [family, metadata] of this.#families) store.add(family, metadata, nowMs);
  }
}
