// A process's own metrics. prom-client spends some 300 ns on an inc() with labels: count hot things in plain
// numbers and hand them over when they are asked for, with collectFrom.

import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { PROMETHEUS_VERSION, VERSION } from './version.ts';

/** A registry with process_*, nodejs_* and the build info gauges of `name` (`querier`). */
export function createMetrics(name: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  collectFrom(
    registry,
    'flotilla_build_info',
    'A metric with a constant 1 and the version of this build as labels.',
    'gauge',
    ['component', 'version', 'nodeversion'],
    (emit) => emit(1, name, VERSION, process.version),
  );
  collectFrom(
    registry,
    'prometheus_build_info',
    'A metric with a constant 1 and the version of the Prometheus API spoken as labels.',
    'gauge',
    ['version', 'revision', 'branch', 'goversion'],
    (emit) => emit(1, PROMETHEUS_VERSION, '', '', ''),
  );
  return registry;
}

/** Adds one series: its value, and label values in the order of `labelNames`. */
export type Emit = (value: number, ...labelValues: readonly string[]) => void;

/** Exposes values that live elsewhere: `fn` emits all series of the metric, each time that it is scraped. */
export function collectFrom(
  registry: Registry,
  name: string,
  help: string,
  type: 'counter' | 'gauge',
  labelNames: readonly string[],
  fn: (emit: Emit) => void | Promise<void>,
): void {
  const labelsOf = (values: readonly string[]): Record<string, string> =>
    Object.fromEntries(labelNames.map((label, i) => [label, values[i] ?? '']));
  const options = { name, help, labelNames: [...labelNames], registers: [registry] };
  if (type === 'counter') {
    const counter = new Counter({
      ...options,
      collect: async () => {
        counter.reset();
        await fn((value, ...labels) => counter.inc(labelsOf(labels), value));
      },
    });
    return;
  }
  const gauge = new Gauge({
    ...options,
    collect: async () => {
      gauge.reset();
      await fn((value, ...labels) => gauge.set(labelsOf(labels), value));
    },
  });
}
