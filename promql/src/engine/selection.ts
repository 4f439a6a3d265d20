// The selectors of a query, told to the storage before the evaluation begins, all at once.

import type { Matcher } from '@flotilla/model';
import type { SelectContext, SelectHints, Series, Storage } from '../storage.ts';

/** One selector with its time range, and later its series. */
export interface Selection {
  readonly matchers: readonly Matcher[];
  readonly hints: SelectHints;
  /** Set by Selections.load(). */
  series: readonly Series[];
}

export class Selections {
  private readonly byKey = new Map<string, Selection>();

  /** Equal selectors that want the same samples share one selection. */
  add(matchers: readonly Matcher[], hints: SelectHints): Selection {
    const key = JSON.stringify([matchers.map(String), hints]);
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    const selection: Selection = { matchers, hints, series: [] };
    this.byKey.set(key, selection);
    return selection;
  }

  /** Gets the series of every selector, in parallel; returns the storage's warnings, each once. */
  async load(storage: Storage, context: SelectContext): Promise<string[]> {
    const warnings = new Set<string>();
    await Promise.all(
      Array.from(this.byKey.values(), async (selection) => {
        const result = await storage.select(selection.matchers, selection.hints, context);
        selection.series = result.series;
        for (const warning of result.warnings) warnings.add(warning);
      }),
    );
    return [...warnings];
  }
}
