// Random queries of the whole language, typed, so that most of them mean something.

import { INTERVAL_MS, SAMPLES } from './fuzz-data.ts';
import type { Random } from './random.ts';

export interface FuzzQuery {
  readonly expr: string;
  readonly startMs: number;
  readonly endMs: number;
  /** 0 for an instant query. */
  readonly stepMs: number;
  /** Whether names go when the query ends. */
  readonly delayed: boolean;
}

const metrics: readonly string[] = [
  'requests_total memory_bytes up nasty latency_bucket latency_sum latency_count native custom mixed',
  'target_info build_info solo short_lived nothing',
].flatMap((names) => names.split(' '));
const labels = ['instance', 'job', 'code', 'le', 'version'];
const durations = ['15s', '30s', '1m', '2m', '5m', '10m', '20m', '37s', '1h'];
const numbers = ['0', '1', '2', '-1', '0.5', '3.7', '100', '1e3', 'Inf', '-Inf', 'NaN', '0x1F', '1m'];

const mathFunctions =
  'abs ceil floor exp ln log2 log10 sqrt sgn deg rad sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh'.split(
    ' ',
  );
const dateFunctions = 'day_of_month day_of_week day_of_year days_in_month hour minute month year'.split(' ');
const histogramFunctions =
  'histogram_count histogram_sum histogram_avg histogram_stddev histogram_stdvar'.split(' ');
const rangeFunctions = [
  'rate increase delta irate idelta deriv changes resets avg_over_time min_over_time max_over_time',
  'sum_over_time count_over_time stddev_over_time stdvar_over_time last_over_time first_over_time',
  'present_over_time absent_over_time mad_over_time ts_of_first_over_time ts_of_last_over_time',
  'ts_of_max_over_time ts_of_min_over_time rate increase rate increase',
].flatMap((names) => names.split(' '));
const aggregations = 'sum avg min max count group stddev stdvar'.split(' ');
const arithmetic = ['+', '-', '*', '/', '%', '^', 'atan2'];
const comparisons = ['==', '!=', '<', '<=', '>', '>='];

export class QueryGenerator {
  private readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  query(): FuzzQuery {
    const { random } = this;
    const expr = random.chance(0.08) ? this.scalar(3) : this.vector(1 + random.below(4));
    const end = INTERVAL_MS * SAMPLES;
    const startMs = random.chance(0.1) ? random.below(end * 2) - 60_000 : random.below(end);
    const delayed = random.chance(0.3);
    if (random.chance(0.5)) return { expr, startMs, endMs: startMs, stepMs: 0, delayed };
    const stepMs = random.pick([1000, 7000, 15_000, 30_000, 60_000, 600_000]);
    const steps = random.below(20);
    return { expr, startMs, endMs: startMs + stepMs * steps + random.below(stepMs), stepMs, delayed };
  }

  private vector(depth: number): string {
    if (depth <= 0) return this.selector();
    const next = depth - 1;
    return this.random.weighted<() => string>([
      [3, () => this.selector()],
      [4, () => this.rangeCall(next)],
      [4, () => this.aggregation(next)],
      [4, () => this.binary(next)],
      [3, () => this.call(next)],
      [2, () => this.histogramCall(next)],
      [1, () => this.labelCall(next)],
      [0.5, () => `-${this.vector(next)}`],
      [0.5, () => `(${this.vector(next)})`],
    ])();
  }

  private selector(): string {
    return this.bareSelector() + this.modifiers();
  }

  private bareSelector(): string {
    const { random } = this;
    if (random.chance(0.04)) return random.pick(['{"my.metric"}', '{"my.metric","label.dot"=~".+"}']);
    if (random.chance(0.03))
      return random.pick(['{__name__=~"latency_.*"}', '{job="api"}', '{instance=~"a|b"}']);
    const name = random.pick(metrics);
    if (random.chance(0.6)) return name;
    const matchers = random.some(
      ['instance="a"', 'instance=~"a|b"', 'job!="db"', 'code!~"5.."', 'le!=""'],
      0.3,
    );
    return `${name}{${matchers.join(', ')}}`;
  }

  private modifiers(): string {
    const { random } = this;
    const at = random.chance(0.08)
      ? ` @ ${random.pick(['start()', 'end()', '1000', '-20.5', '1800.001'])}`
      : '';
    const offset = random.chance(0.08)
      ? ` offset ${random.pick(['1m', '-2m', '17s', '(1m + 30s)', '(step() * 2)'])}`
      : '';
    return random.chance(0.5) ? at + offset : offset + at;
  }

  private range(depth: number): string {
    const { random } = this;
    if (depth > 0 && random.chance(0.25)) {
      const step = random.pick(['', '15s', '1m', '40s']);
      return `${this.grouped(this.vector(depth))}[${random.pick(durations)}:${step}]${this.modifiers()}`;
    }
    const range = random.chance(0.05)
      ? random.pick(['1m + 1m', 'max_of(2m, step())', '90'])
      : random.pick(durations);
    return `${this.bareSelector()}[${range}]${this.modifiers()}`;
  }

  /** Only a selector or something in parentheses takes a range. */
  private grouped(expr: string): string {
    return `(${expr})`;
  }

  private rangeCall(depth: number): string {
    const { random } = this;
    if (random.chance(0.08)) {
      const [modifier, functions] = random.pick([
        ['anchored', ['rate', 'increase', 'delta', 'changes', 'resets']],
        ['smoothed', ['rate', 'increase', 'delta']],
      ] as const);
      return `${random.pick(functions)}(${this.bareSelector()}[${random.pick(durations)}] ${modifier})`;
    }
    return random.weighted<() => string>([
      [8, () => `${random.pick(rangeFunctions)}(${this.range(depth)})`],
      [1, () => `quantile_over_time(${this.scalar(depth)}, ${this.range(depth)})`],
      [1, () => `predict_linear(${this.range(depth)}, ${this.scalar(depth)})`],
      [0.5, () => `double_exponential_smoothing(${this.range(depth)}, 0.3, 0.6)`],
    ])();
  }

  private grouping(): string {
    const { random } = this;
    if (random.chance(0.4)) return '';
    return ` ${random.pick(['by', 'without'])} (${random.some(labels).join(', ')}) `;
  }

  private aggregation(depth: number): string {
    const { random } = this;
    const inner = this.vector(depth);
    const grouping = this.grouping();
    return random.weighted<() => string>([
      [8, () => `${random.pick(aggregations)}${grouping}(${inner})`],
      [2, () => `${random.pick(['topk', 'bottomk', 'limitk'])}${grouping}(${random.below(4)}, ${inner})`],
      [1, () => `quantile${grouping}(${this.scalar(depth)}, ${inner})`],
      [1, () => `count_values${grouping}("${random.pick(['value', 'instance'])}", ${inner})`],
      [0.5, () => `limit_ratio${grouping}(${random.pick(['0.5', '-0.5', '1.2', '0.1'])}, ${inner})`],
    ])();
  }

  private binary(depth: number): string {
    const { random } = this;
    const comparison = random.chance(0.35);
    const operator = random.pick(comparison ? comparisons : arithmetic);
    const bool = comparison && random.chance(0.4) ? ' bool' : '';
    return random.weighted<() => string>([
      [3, () => `${this.vector(depth)} ${operator}${bool} ${this.scalar(depth)}`],
      [2, () => `${this.scalar(depth)} ${operator}${bool} ${this.vector(depth)}`],
      [4, () => this.matched(depth, `${operator}${bool}`)],
      [2, () => this.setOperation(depth)],
      [0.7, () => `${this.vector(depth)} ${random.pick(['</', '>/'])} ${this.scalar(depth)}`],
    ])();
  }

  private matched(depth: number, operator: string): string {
    const { random } = this;
    const names = random.some(['instance', 'job', 'code']).join(', ');
    const on = random.pick(['', '', `on (${names})`, `ignoring (${names})`]);
    const group =
      on !== '' && random.chance(0.4)
        ? ` group_${random.pick(['left', 'right'])} (${random.some(['job', 'version']).join(', ')})`
        : '';
    const fill = random.chance(0.1)
      ? ` ${random.pick(['fill', 'fill_left', 'fill_right'])} (${random.pick(['0', '1', 'NaN'])})`
      : '';
    // The same metric on both sides is what matches most often.
    const left = this.vector(depth);
    const right = random.chance(0.4) ? left : this.vector(depth);
    return `(${left}) ${operator} ${on}${group}${fill} (${right})`;
  }

  private setOperation(depth: number): string {
    const { random } = this;
    const on = random.pick(['', '', 'on (instance)', 'ignoring (job)', 'on ()']);
    return `(${this.vector(depth)}) ${random.pick(['and', 'or', 'unless'])} ${on} (${this.vector(depth)})`;
  }

  private call(depth: number): string {
    const { random } = this;
    const inner = this.vector(depth);
    return random.weighted<() => string>([
      [4, () => `${random.pick(mathFunctions)}(${inner})`],
      [1, () => `${random.pick(dateFunctions)}(${random.chance(0.5) ? inner : ''})`],
      [2, () => `clamp(${inner}, ${this.scalar(depth)}, ${this.scalar(depth)})`],
      [1, () => `${random.pick(['clamp_min', 'clamp_max', 'round'])}(${inner}, ${this.scalar(depth)})`],
      [1, () => `round(${inner})`],
      [2, () => `timestamp(${inner})`],
      [1.5, () => `absent(${inner})`],
      [2, () => `${random.pick(['sort', 'sort_desc'])}(${inner})`],
      [0.7, () => `${random.pick(['sort_by_label', 'sort_by_label_desc'])}(${inner}, "version", "instance")`],
      [1, () => `vector(${this.scalar(depth)})`],
      [1, () => `info(${inner}${random.pick(['', ', {version=~".+"}', ', {__name__="build_info"}'])})`],
    ])();
  }

  private histogramCall(depth: number): string {
    const { random } = this;
    const source = random.pick(['native', 'custom', 'mixed', 'latency_bucket', 'native', 'custom']);
    const rated = random.pick([source, `rate(${source}[5m])`, `sum by (instance, le) (rate(${source}[2m]))`]);
    const inner = random.chance(0.7) ? rated : this.vector(depth);
    return random.weighted<() => string>([
      [3, () => `${random.pick(histogramFunctions)}(${inner})`],
      [3, () => `histogram_quantile(${this.scalar(depth)}, ${inner})`],
      [2, () => `histogram_fraction(${this.scalar(depth)}, ${this.scalar(depth)}, ${inner})`],
      [1, () => `histogram_quantiles(${inner}, "q", 0.45, ${this.scalar(depth)})`],
    ])();
  }

  private labelCall(depth: number): string {
    const { random } = this;
    const inner = this.vector(depth);
    const target = random.pick(['instance', 'new', '__name__', 'job']);
    const source = random.pick(['instance', 'job', '__name__', 'version']);
    if (random.chance(0.3)) return `label_join(${inner}, "${target}", "-", "instance", "${source}")`;
    const [to, pattern] = random.pick([
      ['$1', '(.*)'],
      ['x${1}y', '(a|b)'],
      ['', '.*'],
      ['$1$2', '([a-z]+)_?(.*)'],
    ]);
    return `label_replace(${inner}, "${target}", "${to}", "${source}", "${pattern}")`;
  }

  private scalar(depth: number): string {
    const { random } = this;
    if (depth <= 0 || random.chance(0.6)) return random.pick(numbers);
    const next = depth - 1;
    return random.weighted<() => string>([
      [2, () => `scalar(${this.vector(next)})`],
      [1, () => 'time()'],
      [0.5, () => 'pi()'],
      [0.5, () => `${random.pick(['start', 'end', 'step', 'range'])}()`],
      [0.5, () => `${random.pick(['min_of', 'max_of'])}(${this.scalar(next)}, ${this.scalar(next)})`],
      [1, () => `(${this.scalar(next)} ${random.pick(arithmetic)} ${this.scalar(next)})`],
      [0.5, () => `(${this.scalar(next)} ${random.pick(comparisons)} bool ${this.scalar(next)})`],
    ])();
  }
}
