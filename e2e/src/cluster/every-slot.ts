// The central promise, checked from outside: a slot that either replica scraped is in the answer, once.

import { expect } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostAddress, loadTargets, ports, stateFolder } from './environment.ts';
import { intervalMs, livesOf, pods } from './fleet.ts';
import { query, value } from './querier.ts';
import { until } from './until.ts';

type Samples = readonly (readonly [number, string])[];

/** `instance` of every target of the load. */
export const loadInstances = Array.from(
  { length: loadTargets },
  (_, index) => `${hostAddress}:${ports.load + index}`,
);

/** So many intervals before what is judged are read too: what is judged may be shorter than one, and then holds no sample to tell the phase. */
const phaseIntervals = 20;

/** A time in which the machine stood still, as e2e/cluster/host/machine-watch.mjs noted it. */
interface Standstill {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Start times of the slots in (fromMs, toMs] that no sample fills. The phase is read off the samples, which may be of a
 * longer time: every sample that was scraped on time has it exactly.
 */
export function missingSlots(samples: Samples, fromMs: number, toMs: number): number[] {
  const timesMs = samples.map(([seconds]) => Math.round(seconds * 1000));
  const phaseMs = mostFrequent(timesMs.map((timeMs) => timeMs % intervalMs));
  const slotOfTime = (timeMs: number): number => Math.floor((timeMs - phaseMs) / intervalMs);
  const filled = new Set(timesMs.map(slotOfTime));
  const missing: number[] = [];
  for (let slot = slotOfTime(fromMs) + 1; slot * intervalMs + phaseMs <= toMs; slot++)
    if (!filled.has(slot)) missing.push(slot * intervalMs + phaseMs);
  return missing;
}

function mostFrequent(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const one of values) counts.set(one, (counts.get(one) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? 0;
}

/**
 * Fails unless every target of the load has a sample in each slot of (fromMs, toMs], and no reset in what it counts. `toMs` must be
 * settled. Slots in which the machine stood still are not judged, and told.
 */
export async function expectEverySlot(fromMs: number, toMs: number): Promise<void> {
  // A late sample of the last slot may lie after it.
  const endMs = toMs + intervalMs;
  const readFromMs = fromMs - phaseIntervals * intervalMs;
  const readAll = `load_seconds_total{job="load"}[${Math.ceil((endMs - readFromMs) / 1000)}s]`;
  const answer = await query(readAll, endMs);
  expect([answer.body.error, answer.body.warnings]).toEqual([undefined, undefined]);
  const byInstance = new Map(
    answer.body.data.result.map((one) => [one.metric['instance'], one.values ?? []]),
  );
  const unfilled = loadInstances.flatMap((instance) =>
    missingSlots(byInstance.get(instance) ?? [], fromMs, toMs).map((slotMs) => ({ instance, slotMs })),
  );
  const stood = standstills();
  const missing = unfilled.filter(({ slotMs }) => !stood.some((one) => coversSlot(one, slotMs)));
  if (missing.length < unfilled.length)
    console.log(`${unfilled.length - missing.length} slots not judged: ${describeStandstills(stood)}`);
  if (missing.length > 0) throw new Error(await describeMissing(missing, readAll, endMs));
  const range = `[${Math.ceil((toMs - fromMs) / 1000)}s]`;
  expect(await value(`sum(resets(load_seconds_total{job="load"}${range}))`, toMs)).toBe(0);
}

function standstills(): readonly Standstill[] {
  const lines = readFileSync(join(stateFolder, 'standstills'), 'utf8').split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line) as Standstill);
}

function coversSlot({ fromMs, toMs }: Standstill, slotMs: number): boolean {
  return slotMs + intervalMs > fromMs && slotMs <= toMs;
}

function describeStandstills(stood: readonly Standstill[]): string {
  const shown = stood.map(
    ({ fromMs, toMs }) => `from ${new Date(fromMs).toISOString()} for ${toMs - fromMs} ms`,
  );
  return `the machine stood still ${shown.join(', ')}`;
}

/** Names each hole, what each replica has there, and how long each replica has run. */
async function describeMissing(
  missing: readonly { readonly instance: string; readonly slotMs: number }[],
  readAll: string,
  endMs: number,
): Promise<string> {
  const separate = await query(readAll, endMs, '&dedup=false');
  const described = missing.slice(0, 40).map(({ instance, slotMs }) => {
    const holders = separate.body.data.result.filter(
      ({ metric, values }) =>
        metric['instance'] === instance &&
        values?.some(([seconds]) => seconds * 1000 >= slotMs && seconds * 1000 < slotMs + intervalMs),
    );
    const replicas = holders.map(({ metric }) => metric['replica']);
    return `${instance} at ${new Date(slotMs).toISOString()}: replicas that have it: ${replicas.join(', ') || 'none'}`;
  });
  const lives = (await pods('scraper')).map((pod) => livesOf(pod));
  return `${missing.length} slots are missing\n${[...lives, ...described].join('\n')}`;
}

/** Waits until both replicas of every target's shard have scraped it in the last slots. */
export function loadIsUp(timeoutMs = 60_000): Promise<void> {
  const fresh = `(up{job="load"} == 1) and (timestamp(up{job="load"}) > time() - ${(2.5 * intervalMs) / 1000})`;
  return until('the load is up on both replicas', timeoutMs, async () => {
    const both = await query(`count by (instance) (${fresh})`, undefined, '&dedup=false');
    const up = both.body.data.result.filter(({ value: sample }) => Number(sample?.[1]) >= 2).length;
    if (up === loadTargets) return;
    throw new Error(`${up} of ${loadTargets} are: ${JSON.stringify(both.body).slice(0, 300)}`);
  });
}

/** An instant by which all that was due has been scraped. */
export function settledMs(): number {
  return Date.now() - 2 * intervalMs;
}
