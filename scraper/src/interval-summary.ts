// prometheus_target_interval_length_seconds: a summary of the time between the starts of two scrapes of a target.
//
// It is told of every scrape, for which prom-client's own quantiles are too dear: this one counts whole milliseconds, of which few
// differ, and sorts them when it is asked. Quantiles are of the last eight to ten minutes.

import { type Registry, Summary } from '@flotilla/chassis';
import { formatDuration } from '@flotilla/model';

const quantiles = [0.01, 0.05, 0.5, 0.9, 0.99] as const;
const ageBuckets = 5;
const bucketMs = 120_000;
/** Beyond it times are rounded. */
const distinctMax = 4096;
const roundedMs = 100;

type Metric = Awaited<ReturnType<Summary['get']>>;

/** Times between scrapes with one interval. */
class IntervalTimes {
  readonly label: string;
  count = 0;
  sumSeconds = 0;
  readonly #buckets: Map<number, number>[] = [];
  #newest = new Map<number, number>();
  #newestFromMs = -Infinity;

  constructor(intervalMs: number) {
    this.label = formatDuration(intervalMs);
  }

  add(actualMs: number, nowMs: number): void {
    if (nowMs - this.#newestFromMs >= bucketMs) this.#rotate(nowMs);
    const counts = this.#newest;
    const wholeMs = Math.round(actualMs);
    const key = counts.size < distinctMax ? wholeMs : Math.round(wholeMs / roundedMs) * roundedMs;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    this.count++;
    this.sumSeconds += actualMs / 1000;
  }

  /** In seconds; 0 if there was nothing of late. */
  quantiles(nowMs: number): number[] {
    if (nowMs - this.#newestFromMs >= bucketMs) this.#rotate(nowMs);
    const counts = new Map<number, number>();
    for (const bucket of this.#buckets)
      for (const [key, count] of bucket) counts.set(key, (counts.get(key) ?? 0) + count);
    const sorted = [...counts].toSorted(([a], [b]) => a - b);
    const total = sorted.reduce((sum, [, count]) => sum + count, 0);
    return quantiles.map((quantile) => valueAt(sorted, quantile * total) / 1000);
  }

  #rotate(nowMs: number): void {
    if (nowMs - this.#newestFromMs >= ageBuckets * bucketMs) this.#buckets.length = 0;
    this.#newest = new Map();
    this.#newestFromMs = nowMs;
    this.#buckets.push(this.#newest);
    if (this.#buckets.length > ageBuckets) this.#buckets.shift();
  }
}

function valueAt(sorted: readonly (readonly [number, number])[], rank: number): number {
  let seen = 0;
  for (const [value, count] of sorted) if ((seen += count) >= rank) return value;
  return 0;
}

export class IntervalSummary extends Summary {
  readonly #byInterval = new Map<number, IntervalTimes>();
  readonly #nowMs: () => number;

  constructor(metrics: Registry, nowMs: () => number = () => performance.now()) {
    super({
      name: 'prometheus_target_interval_length_seconds',
      help: 'Actual intervals between scrapes.',
      labelNames: ['interval'],
      registers: [metrics],
    });
    this.#nowMs = nowMs;
  }

  /** Takes note of one scrape. */
  add(intervalMs: number, actualMs: number): void {
    let times = this.#byInterval.get(intervalMs);
    if (times === undefined) this.#byInterval.set(intervalMs, (times = new IntervalTimes(intervalMs)));
    times.add(actualMs, this.#nowMs());
  }

  override async get(): Promise<Metric> {
    const metric = await super.get();
    return { ...metric, values: [...this.#byInterval.values()].flatMap((times) => this.#valuesOf(times)) };
  }

  #valuesOf(times: IntervalTimes): Metric['values'] {
    const labels = { interval: times.label };
    const name = 'prometheus_target_interval_length_seconds';
    const values = times.quantiles(this.#nowMs());
    return [
      ...quantiles.map((quantile, i) => ({ labels: { quantile, ...labels }, value: values[i]! })),
      { metricName: `${name}_sum`, labels, value: times.sumSeconds },
      { metricName: `${name}_count`, labels, value: times.count },
    ];
  }
}
