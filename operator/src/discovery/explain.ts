// Why a target is scraped, or is not: every discovered target that a query names, with what relabeling did to it.

import type { Labels } from '@flotilla/model';
import type { ScrapeJob } from '../monitors/scrape-job.ts';
import type { Explained, ExplainedTarget } from './discovery.ts';
import { explainTarget } from './relabel-targets.ts';

const matchesMax = 100;
const nearMissesMax = 20;
/** Discovered labels that name a target to a human. */
const namingLabels = [
  '__address__',
  '__meta_kubernetes_pod_name',
  '__meta_kubernetes_service_name',
  '__meta_kubernetes_ingress_name',
  '__meta_kubernetes_node_name',
];

/** Kept targets come first; of dropped ones the reason is told as a near miss when nothing was kept. */
export function explainTargets(
  query: string,
  jobs: readonly ScrapeJob[],
  notSelected: readonly { readonly monitor: string; readonly reason: string }[],
): Explained {
  const found: ExplainedTarget[] = [];
  for (const scrape of jobs) {
    for (const { targets } of scrape.groups()) {
      for (const discovered of targets) {
        const explained = explainTarget(scrape, discovered);
        if (isNamed(query, discovered, explained)) found.push(explained);
      }
    }
  }
  const kept = found.filter(({ target }) => target !== undefined);
  const dropped = found.filter(({ target }) => target === undefined);
  const nearMisses =
    kept.length > 0
      ? []
      : [...dropped.map(nearMiss), ...notSelected.filter(({ monitor }) => monitor.includes(query))];
  return {
    targets: (kept.length > 0 ? kept : dropped).slice(0, matchesMax),
    nearMisses: nearMisses.slice(0, nearMissesMax),
  };
}

function isNamed(query: string, discovered: Labels, { target, job }: ExplainedTarget): boolean {
  const slash = query.indexOf('/');
  const namespace = discovered.get('__meta_kubernetes_namespace');
  const name = slash > 0 && namespace === query.slice(0, slash) ? query.slice(slash + 1) : query;
  if (namingLabels.some((label) => discovered.get(label) === name)) return true;
  if (job === query) return true;
  return (
    target !== undefined &&
    (target.url === query || target.labels.get('instance') === query || target.url.split('/')[2] === query)
  );
}

function nearMiss({ object, dropped }: ExplainedTarget): { monitor: string; reason: string } {
  const reason =
    dropped === undefined
      ? 'its address is empty after relabeling'
      : `dropped by rule ${dropped.rule}: ${dropped.text}`;
  return { monitor: `${object.kind} ${object.namespace}/${object.name}`, reason };
}
