// Plans the functions.

import {
  type FloatHistogram,
  formatGoG,
  histogramFraction,
  histogramQuantile,
  histogramVariance,
} from '@flotilla/model';
import type { Call, Expr, PositionRange } from '../ast.ts';
import { withoutParens } from '../logical/logical-plan.ts';
import { valueType } from '../parser/traverse.ts';
import { Absent, absentLabels } from './absent.ts';
import { largest, smallest } from './arithmetic.ts';
import { dateFunctions } from './date-functions.ts';
import { fail } from './errors.ts';
import { anchoredKernels, smoothedKernels } from './extended-rate.ts';
import type { Grid } from './grid.ts';
import { type BucketResult, HistogramFunction } from './histogram-operator.ts';
import { planInfo } from './info-plan.ts';
import { labelJoin, labelReplace } from './label-functions.ts';
import { mathFunctions } from './math-functions.ts';
import { MergeOperator } from './merge-operator.ts';
import { anchoredMixedKernels, mixedKernelOf, mixedKernels, smoothedMixedKernels } from './mixed-kernels.ts';
import type { MixedKernel } from './mixed-window.ts';
import type { Operator } from './operator.ts';
import { overTimeKernels } from './over-time.ts';
import type { Planner } from './plan.ts';
import { quantileKernels } from './quantile.ts';
import { RangeFunction } from './range-function.ts';
import type { RangeKernel } from './range-kernel.ts';
import { rateKernels } from './rate.ts';
import { regressionKernels } from './regression.ts';
import {
  Clamp,
  FloatsOnly,
  HistogramValue,
  Nothing,
  Renamed,
  ScalarFunction,
  ScalarOf,
  StepScalar,
  StepTime,
  ValueFunction,
} from './simple-operators.ts';
import { byLabels, byValue, type RowOrder, Sort } from './sort.ts';

type Around = Parameters<Planner['plan']>[2];

interface CallContext {
  readonly planner: Planner;
  readonly call: Call;
  readonly args: readonly Expr[];
  readonly grid: Grid;
  readonly around: NonNullable<Around>;
}

const RANGE_KERNELS: Readonly<Record<string, RangeKernel>> = {
  ...rateKernels,
  ...overTimeKernels,
  ...quantileKernels,
  ...regressionKernels,
};

const VALUE_FUNCTIONS: Readonly<Record<string, (value: number) => number>> = mathFunctions;
const DATE_FUNCTIONS: Readonly<Record<string, (seconds: number) => number>> = dateFunctions;

type PlanFunction = (context: CallContext) => Operator;

/** Functions that are planned one by one. */
const PLANS: Readonly<Record<string, PlanFunction>> = {
  time: ({ grid, planner }) => new StepScalar((timeMs) => timeMs / 1000, grid, planner.evaluation),
  pi: ({ grid, planner }) => new StepScalar(() => Math.PI, grid, planner.evaluation),
  scalar: (c) => new ScalarOf(arg(c, 0), c.planner.evaluation),
  vector: (c) => arg(c, 0),
  max_of: (c) => scalarFold(c, largest),
  min_of: (c) => scalarFold(c, smallest),
  round: (c) => valueFunction(c, roundTo, c.args[1] === undefined ? [one(c)] : [arg(c, 1)]),
  clamp: (c) => clamp(c, arg(c, 1), arg(c, 2)),
  clamp_min: (c) => clamp(c, arg(c, 1), constant(c, Infinity)),
  clamp_max: (c) => clamp(c, constant(c, -Infinity), arg(c, 1)),
  timestamp: planTimestamp,
  start_timestamp: planStartTimestamp,
  info: ({ planner, args, grid }) => planInfo(planner, args, grid),
  absent: (c) => new Absent(arg(c, 0), absentLabels(c.args[0]!), c.planner.evaluation),
  sort: (c) => planSort(c, byValue(1), new FloatsOnly(arg(c, 0), c.planner.evaluation)),
  sort_desc: (c) => planSort(c, byValue(-1), new FloatsOnly(arg(c, 0), c.planner.evaluation)),
  sort_by_label: (c) => planSort(c, byLabels(strings(c), 1), arg(c, 0)),
  sort_by_label_desc: (c) => planSort(c, byLabels(strings(c), -1), arg(c, 0)),
  label_replace: (c) => planRename(c, labelReplace(strings(c))),
  label_join: (c) => planRename(c, labelJoin(strings(c))),
  histogram_quantile: (c) => planQuantiles(c, 1, [0]),
  histogram_quantiles: (c) => planQuantiles(c, 0, [...c.args.keys()].slice(2)),
  histogram_fraction: planFraction,
};

const HISTOGRAM_VALUES: Readonly<Record<string, (histogram: FloatHistogram) => number>> = {
  histogram_count: (h) => h.count,
  histogram_sum: (h) => h.sum,
  histogram_avg: (h) => h.sum / h.count,
  histogram_stddev: (h) => Math.sqrt(histogramVariance(h)),
  histogram_stdvar: histogramVariance,
};

export function planCall(planner: Planner, call: Call, grid: Grid, around: NonNullable<Around>): Operator {
  const context: CallContext = { planner, call, args: call.args.map(withoutParens), grid, around };
  const own = Object.hasOwn(PLANS, call.func) ? PLANS[call.func] : undefined;
  if (own !== undefined) return own(context);
  if (Object.hasOwn(RANGE_KERNELS, call.func)) return planRangeFunction(context);
  const math = Object.hasOwn(VALUE_FUNCTIONS, call.func) ? VALUE_FUNCTIONS[call.func] : undefined;
  if (math !== undefined) return valueFunction(context, math, []);
  if (Object.hasOwn(DATE_FUNCTIONS, call.func)) return planDate(context);
  const valueOf = Object.hasOwn(HISTOGRAM_VALUES, call.func) ? HISTOGRAM_VALUES[call.func] : undefined;
  if (valueOf !== undefined) {
    return planner.merged(new HistogramValue(arg(context, 0), valueOf, planner.evaluation));
  }
  return fail(`function ${call.func}() is not supported`);
}

function arg({ planner, args, grid, around }: CallContext, index: number): Operator {
  return planner.plan(args[index]!, grid, around);
}

function constant({ planner, grid }: CallContext, value: number): Operator {
  return new StepScalar(() => value, grid, planner.evaluation);
}

function one(context: CallContext): Operator {
  return constant(context, 1);
}

/** The string arguments, in order. */
function strings({ args }: CallContext): string[] {
  return args.flatMap((expr) => (expr.kind === 'string' ? [expr.value] : []));
}

function scalarFold(c: CallContext, fold: (a: number, b: number) => number): Operator {
  const inputs = [arg(c, 0), arg(c, 1)];
  return new ScalarFunction(inputs, (a = NaN, b = NaN) => fold(a, b), c.grid, c.planner.evaluation);
}

function valueFunction(
  c: CallContext,
  change: (value: number, a: number, b: number) => number,
  params: readonly Operator[],
): Operator {
  return c.planner.merged(new ValueFunction(arg(c, 0), change, params, c.planner.evaluation));
}

/** Halves go up. The inverse makes fewer rounding errors than the distance itself. */
function roundTo(value: number, nearest: number): number {
  const inverse = 1 / nearest;
  return Math.floor(value * inverse + 0.5) / inverse;
}

function clamp(c: CallContext, low: Operator, high: Operator): Operator {
  return c.planner.merged(new Clamp(arg(c, 0), [low, high], c.planner.evaluation));
}

function planDate(c: CallContext): Operator {
  const part = DATE_FUNCTIONS[c.call.func]!;
  if (c.args.length > 0) return valueFunction(c, part, []);
  return new StepScalar((timeMs) => part(Math.trunc(timeMs / 1000)), c.grid, c.planner.evaluation);
}

function planTimestamp(c: CallContext): Operator {
  const { planner, grid, around } = c;
  const input = c.args[0]!;
  if (input.kind !== 'selector') return planner.merged(new StepTime(arg(c, 0), planner.evaluation));
  const times = planner.selector(input, grid, around, 'time');
  return planner.merged(new ValueFunction(times, (seconds) => seconds, [], planner.evaluation));
}

/** Nothing, unless of a selector, and start times are regarded. */
function planStartTimestamp(c: CallContext): Operator {
  const { planner, grid, around } = c;
  const input = c.args[0]!;
  if (input.kind !== 'selector' || !planner.evaluation.useStartTimestamps)
    return new Nothing(arg(c, 0), planner.evaluation);
  const times = planner.selector(input, grid, around, 'start');
  return planner.merged(new ValueFunction(times, (seconds) => seconds, [], planner.evaluation));
}

/** In a range query the order has no effect, and the user is told so. */
function planSort(c: CallContext, order: RowOrder, input: Operator): Operator {
  const { steps, startMs, endMs } = c.grid;
  if (steps > 0 && startMs !== endMs) c.planner.evaluation.annotations.sortInRangeQuery(c.call.pos);
  return steps === 1 ? new Sort(input, order, c.planner.evaluation) : input;
}

function planRename(c: CallContext, rename: ConstructorParameters<typeof Renamed>[1]): Operator {
  return c.planner.merged(new Renamed(arg(c, 0), rename, c.planner.evaluation));
}

function planQuantiles(c: CallContext, vector: number, phis: readonly number[]): Operator {
  const { annotations } = c.planner.evaluation;
  const computeNative: BucketResult['computeNative'] = (histogram, phi, _, metric) => {
    const { value, nans } = histogramQuantile(phi, histogram);
    if (nans !== 'none') annotations.nanObservations(nans, metric, c.args[vector]!.pos);
    return value;
  };
  const label = phis.length > 0 && vector === 0 ? (strings(c)[0] ?? '') : undefined;
  const results = phis.map((index): BucketResult => {
    const result: BucketResult = {
      params: [arg(c, index)],
      compute: (buckets, phi) => buckets.quantile(phi),
      computeNative,
      phiPos: c.args[index]!.pos,
    };
    return label === undefined ? result : { ...result, label: [label, bucketLabel] };
  });
  return planHistogram(c, vector, results);
}

/** A number as the label of a bucket or quantile. */
function bucketLabel(value: number): string {
  const text = formatGoG(value === 0 ? 0 : value); // Zero has no sign here.
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

function planFraction(c: CallContext): Operator {
  const compute: BucketResult['compute'] = (buckets, lower, upper) => buckets.fraction(lower, upper);
  const { annotations } = c.planner.evaluation;
  const computeNative: BucketResult['computeNative'] = (histogram, lower, upper, metric) => {
    const { value, nans } = histogramFraction(lower, upper, histogram);
    if (nans) annotations.nanObservationsExcluded(metric, c.args[2]!.pos);
    return value;
  };
  return planHistogram(c, 2, [{ params: [arg(c, 0), arg(c, 1)], compute, computeNative }]);
}

function planHistogram(c: CallContext, vector: number, results: readonly BucketResult[]): Operator {
  const { evaluation } = c.planner;
  return c.planner.merged(new HistogramFunction(arg(c, vector), c.args[vector]!.pos, results, evaluation));
}

function planRangeFunction(c: CallContext): Operator {
  const { planner, call, args, grid, around } = c;
  const { func } = call;
  const index = args.findIndex((expr) => valueType(expr) === 'matrix');
  const range = args[index]!;
  const params = args.filter((_, i) => i !== index).map((expr) => planner.plan(expr, grid, around));
  const planned = planner.planRange(range, grid, around);
  const operator = new RangeFunction(
    {
      func,
      ...kernelsFor(func, range),
      ...planned,
      params,
      pos: argumentPos(c),
      isSummed: planner.summed.has(call),
    },
    grid,
    planner.evaluation,
  );
  if (func === 'absent_over_time') return new Absent(operator, absentLabels(range), planner.evaluation);
  return new MergeOperator(operator, planner.evaluation, 'never');
}

/** Where a range function says what it has to say: at its first argument; a subquery has no place there. */
function argumentPos({ planner, args }: CallContext): PositionRange {
  const [first] = args;
  return first!.kind === 'subquery' ? planner.ranks.shown(first.pos, { start: 0, end: 0 }) : first!.pos;
}

function kernelsFor(func: string, range: Expr): { kernel: RangeKernel; mixed: MixedKernel } {
  const selector = range.kind === 'matrix' ? range.selector : undefined;
  if (selector?.anchored === true) {
    const kernel = modified('anchored', func, anchoredKernels);
    return { kernel, mixed: mixedKernelOf(anchoredMixedKernels, func) };
  }
  if (selector?.smoothed === true) {
    const kernel = modified('smoothed', func, smoothedKernels);
    return { kernel, mixed: mixedKernelOf(smoothedMixedKernels, func) };
  }
  return { kernel: RANGE_KERNELS[func]!, mixed: mixedKernelOf(mixedKernels, func) };
}

function modified(
  modifier: string,
  func: string,
  kernels: Readonly<Record<string, RangeKernel>>,
): RangeKernel {
  const names = Object.keys(kernels).toSorted().join(', ');
  const kernel = Object.hasOwn(kernels, func) ? kernels[func] : undefined;
  return kernel ?? fail(`${modifier} modifier can only be used with: ${names} - not with ${func}`);
}
