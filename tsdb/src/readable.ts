// The reads that a database offers, in whatever way it was opened.

import type { Matcher } from '@flotilla/model';
import type { Queryable, SelectOptions, SeriesSet } from './api.ts';

export abstract class Readable implements Queryable {
  protected abstract readonly reader: Queryable;

  select(
    matchers: readonly Matcher[],
    minTimeMs: number,
    maxTimeMs: number,
    options?: SelectOptions,
  ): Promise<SeriesSet> {
    return this.reader.select(matchers, minTimeMs, maxTimeMs, options);
  }

  labelNames(
    matchers: readonly Matcher[],
    minTimeMs: number,
    maxTimeMs: number,
    limit?: number,
  ): Promise<string[]> {
    return this.reader.labelNames(matchers, minTimeMs, maxTimeMs, limit);
  }

  labelValues(
    name: string,
    matchers: readonly Matcher[],
    minTimeMs: number,
    maxTimeMs: number,
    limit?: number,
  ): Promise<string[]> {
    return this.reader.labelValues(name, matchers, minTimeMs, maxTimeMs, limit);
  }
}
