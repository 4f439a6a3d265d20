// Discovery over a folder of manifests: selects monitors, makes their jobs, relabels their targets. Recomputed as a whole, at most
// once per change; what nobody changed keeps its identity in the object source.

import { errorText } from '@flotilla/chassis';
import type { Logger } from '@flotilla/chassis';
import { compareUtf8 } from '@flotilla/model';
import type { SecretRef } from '@flotilla/wire';
import {
  podMonitorJobs,
  probeJobs,
  refOf,
  scrapeConfigJobs,
  serviceMonitorJobs,
} from '../monitors/monitor-jobs.ts';
import type { JobContext } from '../monitors/monitor-jobs.ts';
import type { ScrapeJob } from '../monitors/scrape-job.ts';
import { FolderSource } from '../objects/folder-source.ts';
import type { AnyObject, ObjectOf } from '../objects/kinds.ts';
import type { ObjectSource } from '../objects/object-source.ts';
import type { LabelSelector } from '../objects/schema-parts.ts';
import { ruleFiles } from '../rules/rule-files.ts';
import type { Discovery, Explained, PoolTarget, Problem, RuleFileText, ScrapePool } from './discovery.ts';
import { explainTargets } from './explain.ts';
import type { FleetSpec } from './fleet-spec.ts';
import { KubernetesDiscovery } from './kubernetes-discovery.ts';
import { relabelTarget } from './relabel-targets.ts';
import { whyNotSelected } from './select-objects.ts';
import { TargetFeeds } from './target-feeds.ts';

export interface FolderDiscoveryOptions {
  readonly folders: readonly string[];
  readonly log: Logger;
  readonly debounceMs?: number;
}

/** Everything that follows from the objects at one moment. */
interface Snapshot {
  readonly fleet: FleetSpec | undefined;
  readonly jobs: readonly ScrapeJob[];
  readonly pools: readonly ScrapePool[];
  readonly rules: readonly RuleFileText[];
  readonly problems: readonly Problem[];
  readonly notSelected: readonly { readonly monitor: string; readonly reason: string }[];
}

const empty: Snapshot = { fleet: undefined, jobs: [], pools: [], rules: [], problems: [], notSelected: [] };

export class FolderDiscovery implements Discovery {
  readonly #source: ObjectSource;
  readonly #kubernetes: KubernetesDiscovery;
  readonly #feeds: TargetFeeds;
  readonly #listeners: (() => void)[] = [];
  #snapshot = empty;
  #isStale = true;

  constructor({ folders, log, debounceMs }: FolderDiscoveryOptions) {
    this.#source = new FolderSource({ folders, ...(debounceMs !== undefined && { debounceMs }) });
    this.#kubernetes = new KubernetesDiscovery(this.#source);
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

  explain(query: string): Explained {
    const { jobs, notSelected } = this.#refresh();
    return explainTargets(query, jobs, notSelected);
  }

  secret({ kind, namespace, name, key }: SecretRef): string | undefined {
    if (kind === 'ConfigMap') {
      const text = this.#source.get('ConfigMap', namespace, name)?.data[key];
      return text === undefined ? undefined : Buffer.from(text).toString('base64');
    }
    const secret = this.#source.get('Secret', namespace, name);
    const text = secret?.stringData[key];
    return text === undefined ? secret?.data[key] : Buffer.from(text).toString('base64');
  }

  #changed(): void {
    this.#isStale = true;
    for (const listener of this.#listeners) listener();
  }

  #refresh(): Snapshot {
    if (!this.#isStale) return this.#snapshot;
    this.#isStale = false;
    this.#kubernetes.refresh();
    this.#snapshot = this.#take(this.#snapshot);
    this.#feeds.sweep();
    return this.#snapshot;
  }

  #take(before: Snapshot): Snapshot {
    const problems: Problem[] = this.#source
      .problems()
      .filter(({ severity }) => severity === 'refused')
      .map(toProblem);
    const [fleetObject, ...others] = this.#source.list('Fleet');
    for (const other of others)
      problems.push(problemOf(other, `a Fleet exists already: ${fleetObject!.metadata.name}`));
    if (fleetObject === undefined) return { ...empty, fleet: before.fleet, problems };
    const { name, namespace } = fleetObject.metadata;
    const fleet: FleetSpec = { ...fleetObject.spec, name, namespace };
    const notSelected: { monitor: string; reason: string }[] = [];
    const context: JobContext = { fleet, kubernetes: this.#kubernetes, feeds: this.#feeds };
    const jobs = this.#jobs(context, problems, notSelected);
    const pools = jobs.map((job) => poolOf(job, problems));
    const rules = this.#selected(
      'PrometheusRule',
      fleet.ruleSelector,
      fleet.ruleNamespaceSelector,
      notSelected,
    );
    return {
      fleet,
      jobs,
      rules: ruleFiles(rules),
      problems,
      notSelected,
      pools: samePools(before.pools, pools),
    };
  }

  /** Jobs of all selected monitors, by job name. A monitor of which anything is wrong has none. */
  #jobs(
    context: JobContext,
    problems: Problem[],
    notSelected: { monitor: string; reason: string }[],
  ): ScrapeJob[] {
    const { fleet } = context;
    const make = <O extends AnyObject>(
      monitors: readonly O[],
      jobsOf: (monitor: O, context: JobContext) => ScrapeJob[],
    ): ScrapeJob[] =>
      monitors.flatMap((monitor) => {
        try {
          return jobsOf(monitor, context);
        } catch (error) {
          problems.push(problemOf(monitor, errorText(error)));
          return [];
        }
      });
    const jobs = [
      ...make(
        this.#selected(
          'ServiceMonitor',
          fleet.serviceMonitorSelector,
          fleet.serviceMonitorNamespaceSelector,
          notSelected,
        ),
        serviceMonitorJobs,
      ),
      ...make(
        this.#selected(
          'PodMonitor',
          fleet.podMonitorSelector,
          fleet.podMonitorNamespaceSelector,
          notSelected,
        ),
        podMonitorJobs,
      ),
      ...make(
        this.#selected('Probe', fleet.probeSelector, fleet.probeNamespaceSelector, notSelected),
        probeJobs,
      ),
      ...make(
        this.#selected(
          'ScrapeConfig',
          fleet.scrapeConfigSelector,
          fleet.scrapeConfigNamespaceSelector,
          notSelected,
        ),
        scrapeConfigJobs,
      ),
    ];
    return jobs.toSorted((a, b) => compareUtf8(a.job.name, b.job.name));
  }

  #selected<K extends 'ServiceMonitor' | 'PodMonitor' | 'Probe' | 'ScrapeConfig' | 'PrometheusRule'>(
    kind: K,
    own: LabelSelector,
    ofNamespace: LabelSelector,
    notSelected: { monitor: string; reason: string }[],
  ): ObjectOf<K>[] {
    return this.#source.list(kind).filter((object) => {
      const reason = whyNotSelected(object, this.#source, own, ofNamespace);
      const { namespace, name } = object.metadata;
      if (reason !== '') notSelected.push({ monitor: `${kind} ${namespace}/${name}`, reason });
      return reason === '';
    });
  }
}

/** Relabels all targets of a job; equal ones are one. A target that relabeling broke is a problem of its own. */
function poolOf(scrape: ScrapeJob, problems: Problem[]): ScrapePool {
  const targets = new Map<string, PoolTarget>();
  let droppedCount = 0;
  for (const group of scrape.groups()) {
    for (const discovered of group.targets) {
      try {
        const { target } = relabelTarget(scrape, discovered);
        if (target === undefined) droppedCount++;
        else targets.set(`${target.url}\n${target.labels.key}`, target);
      } catch (error) {
        problems.push({
          ...scrape.monitor,
          file: scrape.monitor.file ?? '',
          line: 0,
          reason: `${group.source}: ${errorText(error)}`,
        });
      }
    }
  }
  const sorted = [...targets.values()].toSorted(
    (a, b) => compareUtf8(a.url, b.url) || compareUtf8(a.labels.key, b.labels.key),
  );
  return { job: scrape.job, monitor: scrape.monitor, targets: sorted, droppedCount };
}

/** The old array when nothing in it differs, so that nothing downstream is recomputed. */
function samePools(before: readonly ScrapePool[], now: readonly ScrapePool[]): readonly ScrapePool[] {
  const textOf = (pools: readonly ScrapePool[]): string =>
    JSON.stringify(pools.map(({ job, targets }) => [job, targets]));
  return before.length === now.length && textOf(before) === textOf(now) ? before : now;
}

function toProblem({
  file,
  line,
  kind = '',
  name = '',
  reason,
}: ReturnType<ObjectSource['problems']>[number]): Problem {
  const slash = name.indexOf('/');
  return {
    file,
    line,
    kind,
    namespace: slash < 0 ? '' : name.slice(0, slash),
    name: name.slice(slash + 1),
    reason,
  };
}

function problemOf(object: AnyObject, reason: string): Problem {
  const { kind, namespace, name } = refOf(object);
  return { file: object.origin.file, line: object.origin.line, kind, namespace, name, reason };
}
