// Selectors of which only the counts and sums of native histograms are looked at. Their buckets are let go as soon as
// they have told where counters were reset.

import { FloatHistogram, wasReset } from '@flotilla/model';
import type { Expr, VectorSelector } from '../ast.ts';
import { walk } from '../parser/traverse.ts';
import type { Series } from '../storage.ts';
import { isTrim } from './arithmetic.ts';

const STATS_FUNCTIONS = new Set(['histogram_count', 'histogram_sum', 'histogram_avg']);
const BUCKET_FUNCTIONS = new Set([
  'histogram_quantile',
  'histogram_quantiles',
  'histogram_fraction',
  'histogram_stddev',
  'histogram_stdvar',
]);

function needsBuckets(expr: Expr): boolean {
  if (expr.kind === 'subquery') return true; // Its resets are found between its own steps.
  if (expr.kind === 'call') return BUCKET_FUNCTIONS.has(expr.func);
  return expr.kind === 'binary' && isTrim(expr.op);
}

/** The selectors inside of a function of counts and sums, with nothing around them that needs buckets. */
export function statsSelectors(query: Expr): ReadonlySet<VectorSelector> {
  const found = new Set<VectorSelector>();
  walk(query, (outer) => {
    if (needsBuckets(outer)) return false;
    if (outer.kind !== 'call' || !STATS_FUNCTIONS.has(outer.func)) return true;
    walk(outer, (inner) => {
      if (inner.kind === 'selector') found.add(inner);
      return !needsBuckets(inner);
    });
    return false;
  });
  return found;
}

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
