// What targets say about their metrics: type, help, unit. Shared by all targets, since most of them say the same, and
// kept for as long as one of them says it. Bounded in metrics, variants of a metric, and length of a help text.

import type { MetadataResponse, MetricMetadata } from '@flotilla/wire';

/** One thing that is said about a metric, by `users` targets. */
export interface MetadataVariant extends MetricMetadata {
  readonly metric: string;
  users: number;
}

const metricsMax = 100_000;
const variantsMax = 8;
const helpMaxLength = 2048;

export class MetadataStore {
  readonly #metrics = new Map<string, MetadataVariant[]>();

  get size(): number {
    return this.#metrics.size;
  }

  /** To be released by the target that says it. undefined if there is no room. */
  acquire(metric: string, { type, help, unit }: MetricMetadata): MetadataVariant | undefined {
    const variants = this.#metrics.get(metric) ?? [];
    const shown = shownHelp(help);
    const known = variants.find((each) => each.type === type && each.help === shown && each.unit === unit);
    if (known !== undefined) {
      known.users++;
      return known;
    }
    if (variants.length >= variantsMax || (variants.length === 0 && this.#metrics.size >= metricsMax)) {
      return undefined;
    }
    const variant = { metric, type, help: shown, unit, users: 1 };
    this.#metrics.set(metric, [...variants, variant]);
    return variant;
  }

  release(variant: MetadataVariant): void {
    if (--variant.users > 0) return;
    const others = (this.#metrics.get(variant.metric) ?? []).filter((each) => each !== variant);
    if (others.length > 0) this.#metrics.set(variant.metric, others);
    else this.#metrics.delete(variant.metric);
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
}

/** As far as it is kept. */
export function shownHelp(help: string): string {
  return help.slice(0, helpMaxLength);
}

function published({ type, help, unit }: MetadataVariant): MetricMetadata {
  return { type, help, unit };
}
