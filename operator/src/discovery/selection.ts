// Everything that a Fleet selects: the jobs of its monitors, its rules, and what was refused, with the reason. A monitor of which
// anything is wrong is refused whole, and disturbs no other.

import { errorText } from '@flotilla/chassis';
import { compareUtf8 } from '@flotilla/model';
import {
  podMonitorJobs,
  probeJobs,
  refOf,
  scrapeConfigJobs,
  serviceMonitorJobs,
} from '../monitors/monitor-jobs.ts';
import type { JobContext } from '../monitors/monitor-jobs.ts';
import type { ScrapeJob } from '../monitors/scrape-job.ts';
import type { AnyObject, Kind, ObjectOf } from '../objects/kinds.ts';
import { kindApiVersion } from '../objects/kinds.ts';
import type { LabelSelector } from '../objects/schema-parts.ts';
import { checkedRules } from '../rules/checked-rules.ts';
import type { CheckedRules } from '../rules/checked-rules.ts';
import type { Problem, SelectedObject } from './discovery.ts';
import { whyNotSelected } from './select-objects.ts';

type MonitorKind = 'ServiceMonitor' | 'PodMonitor' | 'Probe' | 'ScrapeConfig';

export class Selection {
  readonly jobs: readonly ScrapeJob[];
  readonly rules: readonly CheckedRules[];
  readonly problems: Problem[] = [];
  readonly selected: SelectedObject[] = [];
  readonly notSelected: { monitor: string; reason: string }[] = [];
  readonly #context: JobContext;

  constructor(context: JobContext) {
    this.#context = context;
    const { fleet } = context;
    const jobs = [
      ...this.#take('ServiceMonitor', fleet.serviceMonitorSelector, fleet.serviceMonitorNamespaceSelector, (monitor) =>
        serviceMonitorJobs(monitor, context),
      ),
      ...this.#take('PodMonitor', fleet.podMonitorSelector, fleet.podMonitorNamespaceSelector, (monitor) =>
        podMonitorJobs(monitor, context),
      ),
      ...this.#take('Probe', fleet.probeSelector, fleet.probeNamespaceSelector, (monitor) =>
        probeJobs(monitor, context),
      ),
      ...this.#take('ScrapeConfig', fleet.scrapeConfigSelector, fleet.scrapeConfigNamespaceSelector, (monitor) =>
        scrapeConfigJobs(monitor, context),
      ),
    ];
    this.jobs = jobs.toSorted((a, b) => compareUtf8(a.job.name, b.job.name));
    this.rules = this.#take('PrometheusRule', fleet.ruleSelector, fleet.ruleNamespaceSelector, (rule) => [
      checkedRules(rule, fleet),
    ]);
  }

  refuse(object: AnyObject, reason: string): void {
    const { kind, namespace, name } = refOf(object);
    const { file, line } = object.origin;
    const apiVersion = kindApiVersion(object.kind as Kind);
    this.problems.push({ file, line, apiVersion, kind, namespace, name, uid: object.metadata.uid, reason });
  }

  /** A target that relabeling broke: the rest of its job goes on. */
  targetFailed({ monitor }: ScrapeJob, reason: string): void {
    const { kind, namespace, name, file = '' } = monitor;
    const apiVersion = kindApiVersion(kind as MonitorKind);
    this.problems.push({ file, line: 0, apiVersion, kind, namespace, name, uid: '', reason });
  }

  #take<K extends MonitorKind | 'PrometheusRule', T>(
    kind: K,
    own: LabelSelector | null,
    ofNamespace: LabelSelector | null,
    make: (object: ObjectOf<K>) => readonly T[],
  ): T[] {
    const { source, fleet } = this.#context;
    return source.list(kind).flatMap((object) => {
      const why = whyNotSelected(object, source, fleet, own, ofNamespace);
      const { namespace, name } = object.metadata;
      if (why !== '') {
        this.notSelected.push({ monitor: `${kind} ${namespace}/${name}`, reason: why });
        return [];
      }
      return this.#makeOne(object, make);
    });
  }

  #makeOne<K extends MonitorKind | 'PrometheusRule', T>(
    object: ObjectOf<K>,
    make: (object: ObjectOf<K>) => readonly T[],
  ): readonly T[] {
    const { metadata, kind } = object as AnyObject;
    const { namespace, name, uid, generation } = metadata;
    const apiVersion = kindApiVersion(kind as Kind);
    const found = { apiVersion, kind, namespace, name, uid, generation };
    try {
      const made = make(object);
      this.selected.push({ ...found, accepted: true, reason: '' });
      return made;
    } catch (error) {
      const reason = errorText(error);
      this.selected.push({ ...found, accepted: false, reason });
      this.refuse(object as AnyObject, reason);
      return [];
    }
  }
}
