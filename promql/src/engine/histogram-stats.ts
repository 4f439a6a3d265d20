// Selectors of which only the counts and sums of native histograms are looked at. Buckets are read only where they have to
// tell whether a counter was reset.

import { FloatHistogram, wasReset } from '@flotilla/model';
import type { HistogramColumn, Series } from '../storage.ts';

/** The series with histograms of no buckets, and the resets that these show. */
export function statsOnly(series: Series): Series {
  const { histograms } = series;
  if (histograms === undefined) return series;
  return { ...series, histograms: new StatsColumn(histograms) };
}

class StatsColumn implements HistogramColumn {
  private readonly whole: HistogramColumn;

  constructor(whole: HistogramColumn) {
    this.whole = whole;
  }

  get length(): number {
    return this.whole.length;
  }

  at(index: number): FloatHistogram | undefined {
    const now = this.whole.statsAt === undefined ? this.whole.at(index) : this.whole.statsAt(index);
    if (now === undefined) return undefined;
    const { hint, schema, count, sum } = now;
    if (hint === 'unknown' && index > 0) return this.compared(index);
    return this.whole.statsAt === undefined ? new FloatHistogram({ hint, schema, count, sum }) : now;
  }

  /** Of one of which it is not said whether it was reset. */
  private compared(index: number): FloatHistogram {
    const now = this.whole.at(index)!;
    const before = this.whole.at(index - 1);
    const hint = before === undefined ? now.hint : resetHint(now, before);
    return new FloatHistogram({ hint, schema: now.schema, count: now.count, sum: now.sum });
  }
}

function resetHint(now: FloatHistogram, before: FloatHistogram): FloatHistogram['hint'] {
  return wasReset(now, before) ? 'reset' : 'not_reset';
}
