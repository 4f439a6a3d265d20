// What a side of the comparison does with the objects: which it refuses, and its scrape pools.

import type { RelabelConfig } from '@flotilla/model';

export interface TargetView {
  readonly url: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** Settings of a job by name, in a form that both sides can be brought to. */
export type SettingsView = Readonly<Record<string, unknown>>;

export interface PoolView {
  readonly job: string;
  readonly targets: readonly TargetView[];
  readonly droppedCount: number;
  readonly settings: SettingsView;
}

/** Groups of rules by `PrometheusRule <namespace>/<name>`. */
export type RulesView = ReadonlyMap<string, unknown>;

/** What objects say of the operator that selects them, by `<kind> <namespace>/<name>`. */
export type BindingsView = ReadonlyMap<string, unknown>;

export interface View {
  readonly pools: ReadonlyMap<string, PoolView>;
  /** `<kind> <namespace>/<name>`, with the reason. */
  readonly refused: ReadonlyMap<string, string>;
  readonly bindings: BindingsView;
  readonly rules: RulesView;
}

/** A relabeling with all its defaults written out. */
export function wholeRelabeling(rule: RelabelConfig): RelabelConfig {
  const { action = 'replace', sourceLabels = [], separator = ';', regex = '(.*)' } = rule;
  const { targetLabel = '', replacement = '$1', modulus = 0 } = rule;
  return { action: action.toLowerCase(), sourceLabels, separator, regex, targetLabel, replacement, modulus };
}
