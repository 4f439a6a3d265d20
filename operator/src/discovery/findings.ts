// What discovery finds: scrape pools with their relabeled targets, rule files, what was refused, and how a target came to be.

import type { Labels } from '@flotilla/model';
import type { Job, TargetHistograms } from '@flotilla/wire';

export interface ObjectRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Only with a folder source. */
  readonly file?: string;
}

/** A target after relabeling, before it has an owner. */
export interface PoolTarget {
  /** Final labels: no `__…`, `instance` set. */
  readonly labels: Labels;
  readonly url: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Shard key: `__tmp_hash`, else `__param_target` of a Probe, else `__address__`, after relabeling. */
  readonly key: string;
  /** `__tmp_disable_sharding` was not empty. */
  readonly everyShard: boolean;
  /** Where it is, '' when that is not known. */
  readonly zone: string;
  /** Labels before relabeling. */
  readonly discovered: Labels;
  /** `__unix_socket__`; absent: it has none. */
  readonly unixSocket?: string;
  /** Absent: as the job says. */
  readonly histograms?: TargetHistograms;
}

/** One scrape job: what Prometheus calls a scrape pool. Pools are sorted by job name, targets by url, then labels. */
export interface ScrapePool {
  readonly job: Job;
  readonly monitor: ObjectRef;
  readonly targets: readonly PoolTarget[];
  /** Targets that relabeling dropped. */
  readonly droppedCount: number;
}

/** A manifest, or a part of one, that was refused, and why. */
export interface Problem {
  readonly file: string;
  /** 0: unknown. */
  readonly line: number;
  /** '' when it is not known, and uid '' without an API server. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly reason: string;
  /** Some targets of an object that is taken; false when the object itself is refused. */
  readonly isOfTargets: boolean;
}

/** A monitor or rule that the Fleet selects, and whether it is taken. */
export interface SelectedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number | undefined;
  readonly accepted: boolean;
  /** Why it is not accepted; '' when it is. */
  readonly reason: string;
}

export interface RuleFileText {
  /** `<namespace>-<name>.yaml` */
  readonly file: string;
  /** Prometheus's rule-file form. Equal objects give equal text. */
  readonly text: string;
}

export interface ExplainStep {
  readonly rule: number;
  readonly text: string;
}

/** One discovered target of one job, whether it was kept or dropped. */
export interface ExplainedTarget {
  readonly object: ObjectRef;
  readonly job: string;
  readonly discovered: Readonly<Record<string, string>>;
  readonly steps: readonly ExplainStep[];
  readonly dropped?: ExplainStep;
  readonly target?: PoolTarget;
}

export interface Explained {
  readonly targets: readonly ExplainedTarget[];
  readonly nearMisses: readonly { readonly monitor: string; readonly reason: string }[];
}
