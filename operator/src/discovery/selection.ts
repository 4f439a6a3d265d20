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
import type { ObjectMeta } from '../objects/kube-object.ts';
import type { Problem as SourceProblem } from '../objects/object-source.ts';
import { checkedRules } from '../rules/checked-rules.ts';
import type { CheckedRules } from '../rules/checked-rules.ts';
import type { Problem, SelectedObject } from './findings.ts';
import { whyNotSelected } from './select-objects.ts';

type MonitorKind = 'ServiceMonitor' | 'PodMonitor' | 'Probe' | 'ScrapeConfig';
type SelectedKind = MonitorKind | 'PrometheusRule';

/** The Fleet's selectors for objects of each kind, and for their namespaces. */
const selectorFields = {
  ServiceMonitor: ['serviceMonitorSelector', 'serviceMonitorNamespaceSelector'],
  PodMonitor: ['podMonitorSelector', 'podMonitorNamespaceSelector'],
  Probe: ['probeSelector', 'probeNamespaceSelector'],
  ScrapeConfig: ['scrapeConfigSelector', 'scrapeConfigNamespaceSelector'],
  PrometheusRule: ['ruleSelector', 'ruleNamespaceSelector'],
} as const;

export class Selection {
  readonly jobs: readonly ScrapeJob[];
  readonly rules: readonly CheckedRules[];
  readonly problems: Problem[] = [];
  readonly selected: SelectedObject[] = [];
  readonly notSelected: { monitor: string; reason: string }[] = [];
  readonly #context: JobContext;

  constructor(context: JobContext) {
    this.#context = context;
    const jobs = [
      ...this.#take('ServiceMonitor', (monitor) => serviceMonitorJobs(monitor, context)),
      ...this.#take('PodMonitor', (monitor) => podMonitorJobs(monitor, context)),
      ...this.#take('Probe', (monitor) => probeJobs(monitor, context)),
      ...this.#take('ScrapeConfig', (monitor) => scrapeConfigJobs(monitor, context)),
    ];
    this.jobs = jobs.toSorted((a, b) => compareUtf8(a.job.name, b.job.name));
    this.rules = this.#take('PrometheusRule', (rule) => [checkedRules(rule, context.fleet)]);
    for (const problem of context.source.problems()) this.#takeRefused(problem);
  }

  /** What the source could not even read is refused as well, and told its owner, unless the Fleet does not select it. */
  #takeRefused(found: SourceProblem): void {
    if (found.severity !== 'refused') return;
    const problem = problemOf(found);
    const { apiVersion, kind, namespace, name, uid, reason } = problem;
    const { metadata } = found;
    if (metadata !== undefined && Object.hasOwn(selectorFields, kind)) {
      const why = this.#whyNot({ kind: kind as SelectedKind, metadata });
      if (why !== '') {
        this.notSelected.push({ monitor: `${kind} ${namespace}/${name}`, reason: why });
        return;
      }
      const { generation } = metadata;
      this.selected.push({ apiVersion, kind, namespace, name, uid, generation, accepted: false, reason });
    }
    this.problems.push(problem);
  }

  #whyNot(object: { readonly kind: SelectedKind; readonly metadata: ObjectMeta }): string {
    const { source, fleet } = this.#context;
    const [own, ofNamespace] = selectorFields[object.kind];
    return whyNotSelected(object, source, fleet, fleet[own], fleet[ofNamespace]);
  }

  refuse(object: AnyObject, reason: string): void {
    const { kind, namespace, name } = refOf(object);
    const { file, line } = object.origin;
    const apiVersion = kindApiVersion(object.kind);
    const { uid } = object.metadata;
    this.problems.push({ file, line, apiVersion, kind, namespace, name, uid, reason, isOfTargets: false });
  }

  /** Targets that relabeling broke: the rest of their job goes on. */
  targetsFailed({ monitor, job }: ScrapeJob, reasons: readonly string[]): void {
    const { kind, namespace, name, file = '' } = monitor;
    const apiVersion = kindApiVersion(kind as MonitorKind);
    const reason = `${job.name}: ${reasons.length} targets are none, such as ${reasons[0]}`;
    const place = { file, line: 0, apiVersion, kind, namespace, name, uid: '' };
    this.problems.push({ ...place, reason, isOfTargets: true });
  }

  #take<K extends SelectedKind, T>(kind: K, make: (object: ObjectOf<K>) => readonly T[]): T[] {
    return this.#context.source.list(kind).flatMap((object) => {
      const why = this.#whyNot({ kind, metadata: object.metadata });
      const { namespace, name } = object.metadata;
      if (why === '') return this.#makeOne(object, make);
      this.notSelected.push({ monitor: `${kind} ${namespace}/${name}`, reason: why });
      return [];
    });
  }

  #makeOne<K extends SelectedKind, T>(
    object: ObjectOf<K>,
    make: (object: ObjectOf<K>) => readonly T[],
  ): readonly T[] {
    const { metadata, kind } = object as AnyObject;
    const { namespace, name, uid, generation } = metadata;
    const apiVersion = kindApiVersion(kind);
    const found = { apiVersion, kind, namespace, name, uid, generation };
    try {
      const made = make(object);
      this.selected.push({ ...found, accepted: true, reason: '' });
      return made;
    } catch (error) {
      const reason = errorText(error);
      this.selected.push({ ...found, accepted: false, reason });
      this.refuse(object, reason);
      return [];
    }
  }
}

export function problemOf({ file, line, kind = '', name = '', reason, metadata }: SourceProblem): Problem {
  const slash = name.indexOf('/');
  return {
    file,
    line,
    apiVersion: metadata === undefined ? '' : kindApiVersion(kind as Kind),
    kind,
    namespace: slash < 0 ? '' : name.slice(0, slash),
    name: name.slice(slash + 1),
    uid: metadata?.uid ?? '',
    reason,
    isOfTargets: false,
  };
}
