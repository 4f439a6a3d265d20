// Selectors of which only the counts and sums of native histograms are looked at. Their buckets are let go as soon as
// they have told where counters were reset.

import { FloatHistogram, wasReset } from '@flotilla/model';
import type { Series } from '../storage.ts';

/** The series with histograms of no buckets, and the resets that these showed. */
export function statsOnly(series: Series): Series {
  const { histograms } = series;
  if (histograms === undefined) return series;
  const stats = histograms.map((now, i) => {
    if (now === undefined) return undefined;
    const before = histograms[i - 1];
    const hint = now.hint === 'unknown' && before !== undefined ? resetHint(now, before) : now.hint;
    return new FloatHistogram({ hint, schema: now.schema, count: now.count, sum: now.sum });
  });
  return { ...series, histograms: stats };
}

function resetHint(now: FloatHistogram, before: FloatHistogram): FloatHistogram['hint'] {
  return wasReset(now, before) ? 'reset' : 'not_reset';
}
