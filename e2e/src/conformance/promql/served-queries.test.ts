// Proof: random queries have the answers of a real Prometheus over the same database, through store, wire and HTTP.
// FLOTILLA_SERVED_QUERIES sets how many (1000), FLOTILLA_FUZZ_SEED where to begin (1). Each seed has its own samples, in
// blocks or in the head.

import { afterEach, expect, test } from '@jest/globals';
import { differenceBetween } from './compare-answers.ts';
import type { Parameters } from './compare-answers.ts';
import { fuzzLoad } from './fuzz-data.ts';
import { type FuzzQuery, QueryGenerator } from './query-generator.ts';
import { Random } from './random.ts';
import { startTwoServers, type TwoServers } from './two-servers.ts';

const queryCount = Number(process.env['FLOTILLA_SERVED_QUERIES'] ?? 1000);
const firstSeed = Number(process.env['FLOTILLA_FUZZ_SEED'] ?? 1);
const queriesOfSeed = 500;
/**
 * What lives for the moment, lies in the order of series, or makes of a last bit a number of any size, is compared without servers in
 * differential.test.ts, as far as it can be.
 */
const comparedElsewhere =
  /limit|topk|bottomk|label_|%|\^|exp|count_values|quantiles|(?:sin|cos|tan)\(.*(?:sinh|cosh)/;

let servers: TwoServers | undefined;

afterEach(async () => {
  await servers?.close();
  servers = undefined;
}, 30_000);

function requestOf({ expr, startMs, endMs, stepMs }: FuzzQuery, firstMs: number): [string, Parameters] {
  const seconds = (atMs: number): string => String((firstMs + atMs) / 1000);
  const query = ['query', expr] as const;
  if (stepMs === 0) return ['/api/v1/query', [query, ['time', seconds(startMs)]]];
  const range = [
    ['start', seconds(startMs)],
    ['end', seconds(endMs)],
    ['step', String(stepMs / 1000)],
  ] as const;
  return ['/api/v1/query_range', [query, ...range]];
}

const seeds = Array.from({ length: Math.ceil(queryCount / queriesOfSeed) }, (_, i) => firstSeed + i);

test.each(seeds)(
  'queries of seed %d are answered as Prometheus answers them',
  async (seed) => {
    const random = new Random(seed);
    const { ours, theirs, startMs } = (servers = await startTwoServers(fuzzLoad(random), seed % 2 === 1));
    const generator = new QueryGenerator(random);
    const failures: string[] = [];
    let asked = 0;
    while (asked < queriesOfSeed) {
      const query = generator.query();
      if (comparedElsewhere.test(query.expr)) continue;
      const wrong = await differenceBetween(ours, theirs, ...requestOf(query, startMs), asked++ % 2 === 0);
      if (wrong !== undefined) failures.push(wrong);
    }
    expect(failures).toEqual([]);
  },
  120_000,
);
