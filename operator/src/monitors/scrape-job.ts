// A scrape job before discovery has filled it: settings, the labels that every target begins with, and the relabeling of its kind.

import type { RelabelRule } from '@flotilla/model';
import type { Job } from '@flotilla/wire';
import type { ObjectRef } from '../discovery/findings.ts';
import type { TargetGroup } from '../discovery/target-group.ts';

/** A rule and how `flotilla why` shows it. */
export interface NamedRule {
  readonly rule: RelabelRule;
  readonly text: string;
}

export interface ScrapeJob {
  readonly job: Job;
  readonly monitor: ObjectRef;
  readonly scheme: string;
  readonly metricsPath: string;
  /** URL parameters; relabeling may change the first value of each through `__param_<name>`. */
  readonly params: Readonly<Record<string, readonly string[]>>;
  readonly rules: readonly NamedRule[];
  /** Sharded by `__param_target` instead of `__address__`. */
  readonly isProbe: boolean;
  /** Dropped targets that are shown; 0: all. */
  readonly keepDroppedTargets: number;
  /** Targets as discovered now. */
  readonly groups: () => readonly TargetGroup[];
}
