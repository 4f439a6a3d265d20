// Why a target is scraped, or is not: every discovered target that a query names, with what relabeling did to it; and when none is
// scraped, what is in the way.
//
// Costs a look at every target of every job, and relabeling for those that are named.

import type { Labels } from '@flotilla/model';
import type { ScrapeJob } from '../monitors/scrape-job.ts';
import type { AnyObject } from '../objects/kinds.ts';
import type { ObjectSource } from '../objects/object-source.ts';
import type { Explained, ExplainedTarget, ObjectRef, PoolTarget, ScrapePool } from './findings.ts';
import { META } from './meta-labels.ts';
import { isTaken, nearMisses } from './near-misses.ts';
import type { ExplainedWorld, NearMiss } from './near-misses.ts';
import { explainTarget } from './relabel-targets.ts';

export interface Explainable extends ExplainedWorld {
  readonly jobs: readonly ScrapeJob[];
  /** Of the same jobs. */
  readonly pools: readonly ScrapePool[];
}

const matchesMax = 100;
const nearMissesMax = 20;
/** Discovered labels that name a target to a human. */
const namingLabels = [
  '__address__',
  `${META}pod_name`,
  `${META}service_name`,
  `${META}ingress_name`,
  `${META}node_name`,
];

/** Kept targets come first; of dropped ones the reason is told as a near miss when nothing was kept. */
export function explainTargets(query: string, world: Explainable): Explained {
  const found = world.jobs.flatMap((scrape) => namedTargets(query, scrape, world));
  const kept = found.filter(({ target }) => target !== undefined);
  if (kept.length > 0) return { targets: kept.slice(0, matchesMax), nearMisses: [] };
  const misses = [...found.map(dropReason), ...nearMisses(query, world)];
  return {
    targets: found.slice(0, matchesMax),
    nearMisses: withoutDoubles(misses).slice(0, nearMissesMax),
  };
}

/** Without those that a monitor sees only to drop them by its selectors: it is about other objects. */
function namedTargets(query: string, scrape: ScrapeJob, { pools, source }: Explainable): ExplainedTarget[] {
  const { name } = scrape.job;
  const byResult = new Set(
    (pools.find(({ job }) => job.name === name)?.targets ?? [])
      .filter((target) => name === query || isResultNamed(query, target))
      .map(({ discovered }) => discovered),
  );
  return scrape
    .groups()
    .flatMap(({ targets }) => targets)
    .filter((discovered) => byResult.has(discovered) || name === query || isNamed(query, discovered))
    .map((discovered) => explainTarget(scrape, discovered))
    .filter(({ target, object, discovered }) => target !== undefined || isMeant(object, discovered, source));
}

/** By what it was before relabeling; a name may have its namespace before it. */
function isNamed(query: string, discovered: Labels): boolean {
  const slash = query.indexOf('/');
  const isInNamespace = slash > 0 && discovered.get(`${META}namespace`) === query.slice(0, slash);
  const name = isInNamespace ? query.slice(slash + 1) : query;
  return namingLabels.some((label) => discovered.get(label) === name);
}

function isResultNamed(query: string, { url, labels }: PoolTarget): boolean {
  return url === query || labels.get('instance') === query || url.split('/')[2] === query;
}

function isMeant(
  ref: ObjectRef,
  discovered: Readonly<Record<string, string>>,
  source: ObjectSource,
): boolean {
  const { kind, namespace, name } = ref;
  const place = discovered[`${META}namespace`] ?? '';
  const object = (of: 'Service' | 'Pod'): AnyObject | undefined =>
    source.get(of, place, discovered[`${META}${of.toLowerCase()}_name`] ?? '');
  if (kind === 'ServiceMonitor') return takes(source.get(kind, namespace, name), object('Service'));
  if (kind === 'PodMonitor') return takes(source.get(kind, namespace, name), object('Pod'));
  return true;
}

function takes(monitor: AnyObject | undefined, object: AnyObject | undefined): boolean {
  if (monitor?.kind !== 'ServiceMonitor' && monitor?.kind !== 'PodMonitor') return true;
  return object?.kind !== 'Service' && object?.kind !== 'Pod' ? true : isTaken(monitor, object);
}

function dropReason({ object, dropped }: ExplainedTarget): NearMiss {
  const reason =
    dropped === undefined
      ? 'its address is empty after relabeling'
      : `dropped by rule ${dropped.rule}: ${dropped.text}`;
  return { monitor: `${object.kind} ${object.namespace}/${object.name}`, reason };
}

function withoutDoubles(misses: readonly NearMiss[]): NearMiss[] {
  return [...new Map(misses.map((one) => [`${one.monitor}\n${one.reason}`, one])).values()];
}
