// What the ruler counts, under Prometheus's names.

import { collectFrom } from '@flotilla/chassis';
import type { Registry } from '@flotilla/chassis';

export class RulerCounters {
  evaluations = 0;
  failures = 0;
  /** Evaluations that were held because the answer was not whole. */
  incomplete = 0;
  iterations = 0;
  missed = 0;

  constructor(registry: Registry) {
    const counter = (name: string, help: string, read: () => number): void =>
      collectFrom(registry, name, help, 'counter', [], (emit) => emit(read()));
    counter('prometheus_rule_evaluations_total', 'Rule evaluations.', () => this.evaluations);
    counter(
      'prometheus_rule_evaluation_failures_total',
      'Rule evaluations that failed.',
      () => this.failures,
    );
    counter(
      'flotilla_rule_evaluations_incomplete_total',
      'Rule evaluations held for want of a whole answer.',
      () => this.incomplete,
    );
    counter('prometheus_rule_group_iterations_total', 'Group evaluations.', () => this.iterations);
    counter(
      'prometheus_rule_group_iterations_missed_total',
      'Group evaluations missed, because the one before was slow.',
      () => this.missed,
    );
  }
}
