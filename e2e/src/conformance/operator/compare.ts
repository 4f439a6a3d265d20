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
  return [
    ...refusals(oracle, ours),
    ...mapDifferences('rules', oracle.rules, ours.rules),
    ...mapDifferences('binding', oracle.bindings, ours.bindings),
    ...jobs.flatMap((job) => poolDifferences(job, oracle.pools.get(job), ours.pools.get(job))),
  ];
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

function mapDifferences(
  what: string,
  oracle: ReadonlyMap<string, unknown>,
  ours: ReadonlyMap<string, unknown>,
): Difference[] {
  const names = [...new Set([...oracle.keys(), ...ours.keys()])].toSorted();
  return names.flatMap((where): Difference[] => {
    const [left, right] = [plain(oracle.get(where)), plain(ours.get(where))];
    return isDeepStrictEqual(left, right) ? [] : [{ where, what, oracle: left, ours: right }];
  });
}

function poolDifferences(
  where: string,
  oracle: PoolView | undefined,
  ours: PoolView | undefined,
): Difference[] {
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

/** Without fields that are undefined, or objects with nothing in them. Arrays are made anew: those of fetch are of another realm. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return Array.from(value as unknown[], plain);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value)
    .map(([name, field]) => [name, plain(field)] as const)
    .filter(([, field]) => field !== undefined);
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}

function targetDifferences(where: string, oracle: PoolView, ours: PoolView): Difference[] {
  const [left, right] = [keyed(oracle.targets), keyed(ours.targets)];
  const missing = [...left].filter(([key]) => !right.has(key)).map(([, target]) => target);
  const extra = [...right].filter(([key]) => !left.has(key)).map(([, target]) => target);
  const found: Difference[] = [];
  if (missing.length + extra.length > 0) {
    const what = `targets (${left.size} of the oracle, ${right.size} ours, ${missing.length} missing, ${extra.length} extra)`;
    found.push({ where, what, ...pairDifference(missing, extra) });
  }
  if (oracle.droppedCount !== ours.droppedCount)
    found.push({ where, what: 'droppedCount', oracle: oracle.droppedCount, ours: ours.droppedCount });
  return found;
}

/** Of two targets that are likely the same one, only what differs; else the first of each side. */
function pairDifference(
  missing: readonly TargetView[],
  extra: readonly TargetView[],
): { oracle: unknown; ours: unknown } {
  for (const left of missing) {
    const right = extra.find((target) => likeness(target) === likeness(left));
    if (right === undefined) continue;
    const [leftFields, rightFields] = [flat(left), flat(right)];
    const differing = [...new Set([...leftFields.keys(), ...rightFields.keys()])].filter(
      (field) => leftFields.get(field) !== rightFields.get(field),
    );
    const only = (fields: ReadonlyMap<string, unknown>): unknown =>
      Object.fromEntries(differing.map((field) => [field, fields.get(field)]));
    return { oracle: { of: left.url, ...(only(leftFields) as object) }, ours: only(rightFields) };
  }
  return { oracle: missing.slice(0, samplesMax), ours: extra.slice(0, samplesMax) };
}

function likeness({ labels }: TargetView): string {
  const { instance, job, pod, container, service, namespace, m_kubernetes_pod_container_name: name } = labels;
  return JSON.stringify([instance, job, pod, container, service, namespace, name]);
}

function flat({ labels, ...fields }: TargetView): Map<string, unknown> {
  return new Map<string, unknown>([...Object.entries(fields), ...Object.entries(labels)]);
}

function keyed(targets: readonly TargetView[]): Map<string, TargetView> {
  return new Map(targets.map((target) => [keyOf(target), target]));
}

function keyOf({ url, intervalMs, timeoutMs, labels }: TargetView): string {
  const sorted = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([url, intervalMs, timeoutMs, sorted]);
}
