// What discovery gives to the rest of the operator: the fleet that is wanted and every scrape pool with its relabeled targets.
// Nothing behind this interface knows whether objects come from a folder or from the Kubernetes API.

import type { Labels } from '@flotilla/model';
import type { DiscoveredResponse, RelabelStepView } from '@flotilla/wire';
import type { Explained, Problem, RuleFileText, ScrapePool, SelectedObject } from './findings.ts';
import type { FleetSpec } from './fleet-spec.ts';
import type { DiscoveredQuery } from './target-views.ts';

export interface Discovery {
  /** Begins to watch. Resolves when the first whole reading is done. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** False until everything has been read once, and while the source fails: then nothing may shrink. */
  synced(): boolean;
  /** Called, debounced, after anything below changed. */
  onChange(listener: () => void): void;
  /** The Fleet manifest; undefined while there is none that is valid. */
  fleet(): FleetSpec | undefined;
  pools(): readonly ScrapePool[];
  ruleFiles(): readonly RuleFileText[];
  problems(): readonly Problem[];
  /** The same array while nothing in it has changed. */
  selected(): readonly SelectedObject[];
  /** Finds targets by address, URL, instance, Service or Pod name, or namespace/name. */
  explain(query: string): Explained;
  /** Targets as they were discovered, dropped ones too. */
  discovered(query: DiscoveredQuery): DiscoveredResponse;
  /** What the rules of a job make of labels; undefined when there is no such job. */
  relabelSteps(scrapePool: string, labels: Labels): readonly RelabelStepView[] | undefined;
  /** A job as Prometheus's scrape_config in YAML; undefined when there is no such job. */
  scrapeConfig(scrapePool: string): string | undefined;
}
