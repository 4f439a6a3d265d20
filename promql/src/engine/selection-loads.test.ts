import { expect, test } from '@jest/globals';
import { Labels, Matcher, parseHistogram } from '@flotilla/model';
import { array, asyncProperty, assert, boolean, constantFrom, integer, record } from 'fast-check';
import type { Series } from '../storage.ts';
import { MemoryStorage } from './memory-storage.ts';
import { planLoads, servedSeries, type Wanted } from './selection-loads.ts';

/** Series with samples every ten seconds, some from later on, some with histograms. */
function makeStorage(): MemoryStorage {
  const storage = new MemoryStorage();
  const { histogram } = parseHistogram('count:7 sum:3');
  for (const name of ['m', 'n']) {
    for (const a of ['1', '2', '3']) {
      const labels = Labels.fromRecord({ __name__: name, a });
      for (let timeMs = Number(a) * 70_000; timeMs < 600_000; timeMs += 10_000) {
        if (name === 'n' && timeMs > 400_000) storage.addHistogram(labels, timeMs, histogram);
        else storage.add(labels, timeMs, timeMs / 1000, a === '3' ? 1 : 0);
      }
    }
  }
  return storage;
}

const name = (metric: string): Matcher => new Matcher('=', '__name__', metric);
const sets = [
  [name('m')],
  [name('n')],
  [name('m'), new Matcher('=', 'a', '1')],
  [new Matcher('=~', 'a', '[12]'), name('m')],
  [name('m'), new Matcher('=~', 'a', '[12]'), new Matcher('!=', 'a', '2')],
];
const wanted = record({
  matchers: constantFrom(...sets),
  startMs: integer({ min: 0, max: 700_000 }),
  lengthMs: integer({ min: 0, max: 500_000 }),
  latestOnly: boolean(),
}).map(({ matchers, startMs, lengthMs, latestOnly }): Wanted => {
  const surroundings = { stepMs: 0, rangeMs: 0, func: '', grouping: [], by: false };
  // Ends that are alike now and then.
  const endMs = latestOnly ? 400_000 : startMs + lengthMs;
  return { matchers, hints: { startMs: Math.min(startMs, endMs), endMs, ...surroundings, latestOnly } };
});

test('each selector gets from a shared load what it would have got alone', async () => {
  const storage = makeStorage();
  const plain = (series: readonly Series[], from: number): unknown =>
    series.map(({ labels, timestampsMs, values, histograms = [], startTimesMs }) => ({
      labels: labels.toString(),
      times: [...timestampsMs.slice(from)],
      values: [...values.slice(from)],
      histograms: Array.from(values, (_, i) => histograms.at(i)).slice(from),
      began: [...(startTimesMs ?? []).slice(from)],
    }));
  await assert(
    asyncProperty(array(wanted, { minLength: 1, maxLength: 6 }), async (all) => {
      const loads = planLoads(all);
      expect(loads.flatMap(({ users }) => users)).toHaveLength(all.length);
      for (const load of loads) {
        const { series } = await storage.select(load.matchers, load.hints);
        for (const user of load.users) {
          const alone = await storage.select(user.matchers, user.hints);
          const from = user.hints.latestOnly === true ? -1 : 0;
          expect(plain(servedSeries(load, series, user), from)).toEqual(plain(alone.series, from));
        }
      }
    }),
    { numRuns: 150, seed: 3 },
  );
});

test('series that share their times go on to share them', () => {
  const times = Float64Array.of(1, 2, 3, 4);
  const series = ['a', 'b'].map((job) => ({
    labels: Labels.fromRecord({ job }),
    timestampsMs: times,
    values: Float64Array.of(1, 2, 3, 4),
  }));
  const hints = { startMs: 0, endMs: 9, stepMs: 0, rangeMs: 0, func: '', grouping: [], by: false };
  const [one, other] = servedSeries({ matchers: [], hints }, series, {
    matchers: [],
    hints: { ...hints, startMs: 2, endMs: 3 },
  });
  expect([...one!.timestampsMs]).toEqual([2, 3]);
  expect(other!.timestampsMs).toBe(one!.timestampsMs);
});
