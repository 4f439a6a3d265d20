// What a Fleet selects and discovers, over any source of objects: selects monitors, makes their jobs, relabels their targets. Recomputed at most
// once per change; what nobody changed keeps its identity.

import type { Logger } from '@flotilla/chassis';
import type { Labels } from '@flotilla/model';
import type { DiscoveredResponse, RelabelStepView, SecretRef } from '@flotilla/wire';
import { nameOf } from '../assignment/shard-settings.ts';
import { checkCredentials, secretValue } from '../monitors/check-credentials.ts';
import type { JobContext } from '../monitors/monitor-jobs.ts';
import type { ScrapeJob } from '../monitors/scrape-job.ts';
import type { ObjectSource } from '../objects/object-source.ts';
import { remoteWriteAuth } from '../objects/remote-write-schema.ts';
import { ruleFiles } from '../rules/rule-files.ts';
import type { Discovery } from './discovery.ts';
import type { Explained, Problem, RuleFileText, ScrapePool, SelectedObject } from './findings.ts';
import { explainTargets } from './explain.ts';
import type { FleetSpec } from './fleet-spec.ts';
import { DiscoveryViews } from './discovery-views.ts';
import { PoolCache } from './pool-cache.ts';
import { problemOf, Selection } from './selection.ts';
import { TargetFeeds } from './target-feeds.ts';
import { scrapeConfigYaml } from './scrape-config-view.ts';
import { discoveredTargets, relabelStepViews } from './target-views.ts';
import type { DiscoveredQuery } from './target-views.ts';

export interface FleetDiscoveryOptions {
  readonly source: ObjectSource;
  readonly log: Logger;
  /** Where the Fleet must be; anywhere when absent. */
  readonly namespace?: string;
}

/** Everything that follows from the objects at one moment. */
interface Snapshot {
  readonly fleet: FleetSpec | undefined;
  readonly jobs: readonly ScrapeJob[];
  readonly pools: readonly ScrapePool[];
  readonly rules: readonly RuleFileText[];
  readonly problems: readonly Problem[];
  readonly selected: readonly SelectedObject[];
  readonly notSelected: readonly { readonly monitor: string; readonly reason: string }[];
}

const empty: Snapshot = {
  fleet: undefined,
  jobs: [],
  pools: [],
  rules: [],
  problems: [],
  selected: [],
  notSelected: [],
};

export class FleetDiscovery implements Discovery {
  readonly #namespace: string | undefined;
  readonly #source: ObjectSource;
  readonly #views: DiscoveryViews;
  readonly #feeds: TargetFeeds;
  readonly #pools = new PoolCache();
  readonly #listeners: (() => void)[] = [];
  #snapshot = empty;
  #isStale = true;

  constructor({ source, log, namespace }: FleetDiscoveryOptions) {
    this.#source = source;
    this.#namespace = namespace;
    this.#views = new DiscoveryViews(this.#source);
    this.#feeds = new TargetFeeds(log, () => this.#changed());
  }

  async start(): Promise<void> {
    this.#source.onChange(() => this.#changed());
    await this.#source.start();
    this.#changed();
  }

  async stop(): Promise<void> {
    this.#source.stop();
    this.#feeds.stop();
  }

  synced(): boolean {
    this.#refresh();
    return this.#source.synced() && this.#feeds.isTried;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  fleet(): FleetSpec | undefined {
    return this.#refresh().fleet;
  }

  pools(): readonly ScrapePool[] {
    return this.#refresh().pools;
  }

  ruleFiles(): readonly RuleFileText[] {
    return this.#refresh().rules;
  }

  problems(): readonly Problem[] {
    return this.#refresh().problems;
  }

  selected(): readonly SelectedObject[] {
    return this.#refresh().selected;
  }

  explain(query: string): Explained {
    return explainTargets(query, { ...this.#refresh(), source: this.#source });
  }

  discovered(query: DiscoveredQuery): DiscoveredResponse {
    const { jobs, pools } = this.#refresh();
    return discoveredTargets(query, jobs, pools);
  }

  relabelSteps(scrapePool: string, labels: Labels): readonly RelabelStepView[] | undefined {
    const scrape = this.#jobOf(scrapePool);
    return scrape === undefined ? undefined : relabelStepViews(scrape, labels);
  }

  scrapeConfig(scrapePool: string): string | undefined {
    const scrape = this.#jobOf(scrapePool);
    return scrape === undefined ? undefined : scrapeConfigYaml(scrape);
  }

  secret(ref: SecretRef): string | undefined {
    return secretValue(this.#source, ref);
  }

  #jobOf(scrapePool: string): ScrapeJob | undefined {
    return this.#refresh().jobs.find(({ job }) => job.name === scrapePool);
  }

  #changed(): void {
    this.#isStale = true;
    for (const listener of this.#listeners) listener();
  }

  #refresh(): Snapshot {
    if (!this.#isStale) return this.#snapshot;
    this.#isStale = false;
    this.#views.refresh();
    this.#snapshot = this.#take(this.#snapshot);
    this.#feeds.sweep();
    return this.#snapshot;
  }

  /** A destination whose secret is missing stays: its samples wait. */
  #remoteWriteProblems(fleet: FleetSpec): string[] {
    return fleet.remoteWrite.flatMap((spec) => {
      try {
        checkCredentials(remoteWriteAuth(spec, fleet.namespace), this.#source);
        return [];
      } catch (error) {
        if (error instanceof RangeError) return [`remoteWrite ${nameOf(spec)}: ${error.message}`];
        throw error;
      }
    });
  }

  #sourceProblems(): Problem[] {
    const refused = this.#source.problems().filter(({ severity }) => severity === 'refused');
    return refused.map(problemOf);
  }

  /** Without a Fleet nothing is wanted, and nothing that was assigned is taken back. */
  #take(before: Snapshot): Snapshot {
    const [fleetObject, ...others] = this.#source
      .list('Fleet')
      .filter(({ metadata }) => this.#namespace === undefined || metadata.namespace === this.#namespace);
    if (fleetObject === undefined) return { ...before, fleet: undefined, problems: this.#sourceProblems() };
    const { name, namespace, uid, generation = 0 } = fleetObject.metadata;
    const fleet: FleetSpec = { ...fleetObject.spec, name, namespace, uid, generation };
    const views = this.#views;
    const context: JobContext = {
      fleet,
      source: this.#source,
      kubernetes: views.whole,
      views,
      feeds: this.#feeds,
    };
    const selection = new Selection(context);
    for (const other of others) selection.refuse(other, `a Fleet exists already: ${name}`);
    for (const reason of this.#remoteWriteProblems(fleet)) selection.refuse(fleetObject, reason);
    const { pools, errors } = this.#pools.take(selection.jobs);
    for (const { job, reasons } of errors) selection.targetsFailed(job, reasons);
    return {
      fleet,
      jobs: selection.jobs,
      pools,
      rules: ruleFiles(selection.rules),
      problems: selection.problems,
      selected: sameSelected(before.selected, selection.selected),
      notSelected: selection.notSelected,
    };
  }
}

/** The old array when nothing in it differs, so that nothing is written again. */
function sameSelected(
  before: readonly SelectedObject[],
  now: readonly SelectedObject[],
): readonly SelectedObject[] {
  return JSON.stringify(before) === JSON.stringify(now) ? before : now;
}
