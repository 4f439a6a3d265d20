// The selectors of a query, told to the storage before the evaluation begins, all at once.

import type { Matcher } from '@flotilla/model';
import { statsOnly } from './histogram-stats.ts';
import { planLoads, servedSeries } from './selection-loads.ts';
import type { SelectContext, SelectHints, Series, Storage } from '../storage.ts';

/** One selector with its time range, and later its series. */
export interface Selection {
  readonly matchers: readonly Matcher[];
  readonly hints: SelectHints;
  /** Whether only counts and sums of histograms are looked at. */
  readonly stats: boolean;
  /** These are set by Selections.load(): how long the storage took, 0 if it was asked for another, and what it gave. */
  wallMs: number;
  series: readonly Series[];
  /** As in SelectResult. */
  metric: string | undefined;
}

export class Selections {
  private readonly byKey = new Map<string, Selection>();

  /** Equal selectors that want the same samples share one selection. */
  add(matchers: readonly Matcher[], hints: SelectHints, stats: boolean): Selection {
    const key = JSON.stringify([matchers.map(String), hints, stats]);
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    const selection: Selection = { matchers, hints, stats, wallMs: 0, series: [], metric: undefined };
    this.byKey.set(key, selection);
    return selection;
  }

  anyHistograms(): boolean {
    return [...this.byKey.values()].some(({ series }) => series.some((one) => one.histograms !== undefined));
  }

  /** Gets the series of every selector, in parallel; returns the storage's warnings, each once. */
  async load(storage: Storage, context: SelectContext): Promise<string[]> {
    const warnings = new Set<string>();
    await Promise.all(
      planLoads(this.byKey.values()).map(async (load) => {
        const begunMs = performance.now();
        const result = await storage.select(load.matchers, load.hints, context);
        load.users[0]!.wallMs = performance.now() - begunMs;
        for (const selection of load.users) {
          const series = servedSeries(load, result.series, selection);
          selection.series = selection.stats ? series.map(statsOnly) : series;
          selection.metric = result.metric;
        }
        for (const warning of result.warnings) warnings.add(warning);
      }),
    );
    return [...warnings];
  }
}
