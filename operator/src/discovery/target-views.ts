// Targets before relabeling, and what each rule makes of them: the operator's half of Prometheus's /api/v1/targets.
//
// Dropped targets are not kept: they are found again when somebody asks, within a budget, since there may be many times more of
// them than of targets.

import { Labels, relabelRuleConfig, relabelSteps } from '@flotilla/model';
import type { RelabelRule } from '@flotilla/model';
import type { DiscoveredResponse, DiscoveredTarget, DroppedTarget, RelabelStepView } from '@flotilla/wire';
import type { ScrapeJob } from '../monitors/scrape-job.ts';
import type { ScrapePool } from './findings.ts';
import { relabelTarget, withDefaults } from './relabel-targets.ts';

export interface DiscoveredQuery {
  /** '' for all. */
  readonly scrapePool: string;
  readonly active: boolean;
  readonly dropped: boolean;
}

/** Of one answer: a fleet of 100 000 targets has 200 MB of discovered labels. */
const listedMax = 10_000;
const relabeledMax = 50_000;

export function discoveredTargets(
  { scrapePool, active, dropped }: DiscoveredQuery,
  jobs: readonly ScrapeJob[],
  pools: readonly ScrapePool[],
): DiscoveredResponse {
  const byName = new Map(jobs.map((scrape) => [scrape.job.name, scrape]));
  const wanted = pools.filter(({ job }) => scrapePool === '' || scrapePool === job.name);
  const budget = { listed: listedMax, relabeled: relabeledMax, isCut: false };
  const lists = <T>(isAsked: boolean, list: (scrape: ScrapeJob, pool: ScrapePool) => T[]): T[] =>
    isAsked ? wanted.flatMap((pool) => list(byName.get(pool.job.name)!, pool)) : [];
  return {
    scrapePools: pools.map(({ job }) => job.name),
    active: lists(active, (scrape, pool) => activeOf(scrape, pool, budget)),
    dropped: lists(dropped, (scrape, pool) => droppedOf(scrape, pool, budget)),
    droppedCounts: Object.fromEntries(pools.map(({ job, droppedCount }) => [job.name, droppedCount])),
    isCut: budget.isCut,
  };
}

interface Budget {
  listed: number;
  relabeled: number;
  isCut: boolean;
}

function activeOf(scrape: ScrapeJob, { targets }: ScrapePool, budget: Budget): DiscoveredTarget[] {
  const shown = targets.slice(0, budget.listed);
  budget.listed -= shown.length;
  budget.isCut ||= shown.length < targets.length;
  return shown.map(({ url, labels, discovered }) => ({
    scrapePool: scrape.job.name,
    url,
    labels: labels.toRecord(),
    discoveredLabels: withDefaults(scrape, discovered).toRecord(),
  }));
}

/** As many as the job keeps; 0 is all. */
function droppedOf(scrape: ScrapeJob, { droppedCount }: ScrapePool, budget: Budget): DroppedTarget[] {
  const kept = Math.min(droppedCount, scrape.keepDroppedTargets || droppedCount);
  const found: DroppedTarget[] = [];
  for (const group of kept === 0 ? [] : scrape.groups()) {
    for (const discovered of group.targets) {
      if (found.length === kept) return found;
      if (budget.listed === 0 || budget.relabeled === 0) {
        budget.isCut = true;
        return found;
      }
      budget.relabeled--;
      if (!isDropped(scrape, discovered)) continue;
      budget.listed--;
      const discoveredLabels = withDefaults(scrape, discovered).toRecord();
      found.push({ discoveredLabels, scrapePool: scrape.job.name });
    }
  }
  return found;
}

/** One that relabeling broke was not dropped. */
function isDropped(scrape: ScrapeJob, discovered: Labels): boolean {
  try {
    return relabelTarget(scrape, discovered).target === undefined;
  } catch {
    return false;
  }
}

/** What each rule of a job makes of labels, which need not be a target's. */
export function relabelStepViews({ rules }: ScrapeJob, labels: Labels): RelabelStepView[] {
  const { steps } = relabelSteps(
    labels,
    rules.map(({ rule }) => rule),
  );
  return rules.map(({ rule }, index) => {
    const output = steps[index]?.labels;
    return { rule: ruleView(rule), output: output?.toRecord() ?? {}, keep: output !== undefined };
  });
}

/** As Prometheus writes its relabel_config as JSON. */
function ruleView(rule: RelabelRule): Readonly<Record<string, unknown>> {
  const { regex = '(.*)' } = relabelRuleConfig(rule);
  const { sourceLabels, separator, modulus, targetLabel, replacement, action } = rule;
  return {
    ...(sourceLabels.length > 0 && { source_labels: sourceLabels }),
    separator,
    regex,
    ...(modulus > 0n && { modulus: Number(modulus) }),
    ...(targetLabel !== '' && { target_label: targetLabel }),
    replacement,
    action,
  };
}
