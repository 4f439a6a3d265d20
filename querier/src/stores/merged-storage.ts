// The storage that the engine reads: all shards and replicas as one Prometheus. One object per query.

import type { Matcher } from '@flotilla/model';
import type { SelectContext, SelectHints, SelectResult, Storage } from '@flotilla/promql';
import { toMatcherMessage } from '@flotilla/wire';
import { mergeSeries } from '../merge/merge-series.ts';
import type { FanOut } from './fan-out.ts';
import type { SeriesAnswer } from './store-client.ts';

export interface MergedStorageOptions {
  readonly dedup: boolean;
}

export class MergedStorage implements Storage {
  readonly #fanOut: FanOut;
  readonly #dedup: boolean;

  constructor(fanOut: FanOut, { dedup }: MergedStorageOptions) {
    this.#fanOut = fanOut;
    this.#dedup = dedup;
  }

  /** Warnings stay empty: holes are in the completeness record, which the API turns into warnings once per query. */
  async select(
    matchers: readonly Matcher[],
    hints: SelectHints,
    { budget }: SelectContext,
  ): Promise<SelectResult> {
    const where = `selector {${matchers.map(String).join(',')}}`;
    const request = {
      minTimeMs: hints.startMs,
      maxTimeMs: hints.endMs,
      matchers: matchers.map(toMatcherMessage),
      skipChunks: false,
      latestOnly: hints.latestOnly === true,
      limit: 0,
      targetIds: [],
    };
    const take = (bytes: number): void => budget.take(bytes, where);
    const answers = await this.#fanOut.series(request, take, !this.#dedup);
    const series = mergeSeries(
      answers.map(({ store, series: found, isSorted }) => ({
        replica: store.replica,
        series: found,
        isSorted,
      })),
      this.#dedup,
    );
    return { series, metric: sharedMetric(answers), warnings: [] };
  }
}

/** What the series of all stores are called. */
function sharedMetric(answers: readonly SeriesAnswer[]): string | undefined {
  const [first, ...others] = answers.filter(({ series }) => series.length > 0);
  return others.every(({ metric }) => metric === first?.metric) ? first?.metric : undefined;
}
