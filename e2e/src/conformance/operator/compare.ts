// Where two views differ, in lines that name the object, the oracle's part and ours.

import { isDeepStrictEqual } from 'node:util';
import type { PoolView, TargetView, View } from './view.ts';

export interface Difference {
  /** Job, or object that one side refuses. */
  readonly where: string;
  readonly what: string;
  readonly oracle: unknown;
  readonly ours: unknown;
}

const samplesMax = 3;

export function differences(oracle: View, ours: View): Difference[] {
  const jobs = [...new Set([...oracle.pools.keys(), ...ours.pools.keys()])].toSorted();
  return [...refusals(oracle, ours), ...jobs.flatMap((job) => poolDifferences(job, oracle.pools.get(job), ours.pools.get(job)))];
}

function refusals(oracle: View, ours: View): Difference[] {
  const names = [...new Set([...oracle.refused.keys(), ...ours.refused.keys()])].toSorted();
  return names
    .filter((name) => oracle.refused.has(name) !== ours.refused.has(name))
    .map((where) => ({
      where,
      what: 'refused',
      oracle: oracle.refused.get(where) ?? 'accepted',
      ours: ours.refused.get(where) ?? 'accepted',
    }));
}

function poolDifferences(where: string, oracle: PoolView | undefined, ours: PoolView | undefined): Difference[] {
  if (oracle === undefined || ours === undefined) {
    const present = (pool: PoolView | undefined): string => (pool === undefined ? 'absent' : 'present');
    return [{ where, what: 'job', oracle: present(oracle), ours: present(ours) }];
  }
  return [...settingDifferences(where, oracle, ours), ...targetDifferences(where, oracle, ours)];
}

function settingDifferences(where: string, oracle: PoolView, ours: PoolView): Difference[] {
  const fields = new Set([...Object.keys(oracle.settings), ...Object.keys(ours.settings)]);
  return [...fields].flatMap((field): Difference[] => {
    const [left, right] = [plain(oracle.settings[field]), plain(ours.settings[field])];
    return isDeepStrictEqual(left, right) ? [] : [{ where, what: field, oracle: left, ours: right }];
  });
}

/** Without fields that are undefined. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function targetDifferences(where: string, oracle: PoolView, ours: PoolView): Difference[] {
  const [left, right] = [keyed(oracle.targets), keyed(ours.targets)];
  const missing = [...left.keys()].filter((key) => !right.has(key));
  const extra = [...right.keys()].filter((key) => !left.has(key));
  const found: Difference[] = [];
  if (missing.length + extra.length > 0) {
    const what = `targets (${left.size} of the oracle, ${right.size} ours, ${missing.length} missing, ${extra.length} extra)`;
    const sample = (keys: readonly string[]): unknown => keys.slice(0, samplesMax).map((key) => JSON.parse(key) as unknown);
    found.push({ where, what, oracle: sample(missing), ours: sample(extra) });
  }
  if (oracle.droppedCount !== ours.droppedCount)
    found.push({ where, what: 'droppedCount', oracle: oracle.droppedCount, ours: ours.droppedCount });
  return found;
}

function keyed(targets: readonly TargetView[]): Map<string, TargetView> {
  return new Map(targets.map((target) => [keyOf(target), target]));
}

function keyOf({ url, intervalMs, timeoutMs, labels }: TargetView): string {
  const sorted = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ url, intervalMs, timeoutMs, labels: Object.fromEntries(sorted) });
}
