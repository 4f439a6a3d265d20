// The exemplars that a store has, for queriers.

import { BadRequest, formatSampleValue } from '@flotilla/model';
import type { ExemplarSeries, Tsdb } from '@flotilla/tsdb';
import { fromMatcherMessage } from '@flotilla/wire';
import type { ExemplarSeriesMessage, ExemplarsRequest, ExemplarsResponse } from '@flotilla/wire';

const setsMax = 200;
const matchersMax = 100;

/** Throws BadRequest, and PatternError on a regular expression that does not compile. */
export async function exemplarsResponse(tsdb: Tsdb, body: unknown): Promise<ExemplarsResponse> {
  const { matcherSets, minTimeMs, maxTimeMs } = exemplarsRequest(body);
  const sets = matcherSets.map((matchers) => matchers.map(fromMatcherMessage));
  const found = await tsdb.selectExemplars(sets, minTimeMs, maxTimeMs);
  return { series: found.map(seriesMessage) };
}

function exemplarsRequest(body: unknown): ExemplarsRequest {
  const { matcherSets, minTimeMs, maxTimeMs } = (body ?? {}) as Partial<ExemplarsRequest>;
  const isList = Array.isArray(matcherSets) && matcherSets.length <= setsMax;
  if (!isList || !matcherSets.every((set) => Array.isArray(set) && set.length <= matchersMax))
    throw new BadRequest(`matcherSets: want at most ${setsMax} lists of at most ${matchersMax}`);
  if (typeof minTimeMs !== 'number' || typeof maxTimeMs !== 'number')
    throw new BadRequest('minTimeMs, maxTimeMs: want numbers');
  return { matcherSets, minTimeMs, maxTimeMs };
}

function seriesMessage({ labels, exemplars }: ExemplarSeries): ExemplarSeriesMessage {
  return {
    labels: labels.toRecord(),
    exemplars: exemplars.map(({ labels: own, value, timeMs, hasTimestamp }) => ({
      labels: own.toRecord(),
      value: formatSampleValue(value),
      timeMs,
      hasTimestamp,
    })),
  };
}
