// The functions of PromQL: what they take and return.

import type { ValueType } from '../ast.ts';

export interface FunctionSignature {
  readonly name: string;
  /** Types of the arguments; the last one is also that of further arguments. */
  readonly args: readonly ValueType[];
  /** 0: exactly `args`. Otherwise the last of `args` is optional, and may repeat: n times in all, or any number for -1. */
  readonly variadic: number;
  readonly returns: ValueType;
  readonly experimental: boolean;
}

type TypeLetter = 'v' | 'm' | 's' | 't';

const TYPES: Readonly<Record<TypeLetter, ValueType>> = { v: 'vector', m: 'matrix', s: 'scalar', t: 'string' };

type Shape = Partial<Pick<FunctionSignature, 'variadic' | 'returns' | 'experimental'>>;

/** `letters` has one letter an argument: vector, matrix, scalar, text. */
function signatures(names: string, letters: string, shape: Shape = {}): FunctionSignature[] {
  const args = letters.split('').map((letter) => TYPES[letter as TypeLetter]);
  const rest = { variadic: 0, returns: 'vector', experimental: false, ...shape } as const;
  return names.split(' ').map((name) => Object.freeze({ name, args, ...rest }));
}

const X = { experimental: true } as const;

const SIGNATURES: readonly FunctionSignature[] = [
  ...signatures('abs ceil floor exp ln log2 log10 sqrt sgn deg rad', 'v'),
  ...signatures('acos acosh asin asinh atan atanh cos cosh sin sinh tan tanh', 'v'),
  ...signatures('round', 'vs', { variadic: 1 }),
  ...signatures('clamp', 'vss'),
  ...signatures('clamp_min clamp_max', 'vs'),
  ...signatures('pi time', '', { returns: 'scalar' }),
  ...signatures('scalar', 'v', { returns: 'scalar' }),
  ...signatures('vector', 's'),
  ...signatures('timestamp absent sort sort_desc', 'v'),
  ...signatures('day_of_month day_of_week day_of_year days_in_month hour minute month year', 'v', {
    variadic: 1,
  }),
  ...signatures('rate increase delta irate idelta deriv changes resets', 'm'),
  ...signatures('avg_over_time min_over_time max_over_time sum_over_time count_over_time', 'm'),
  ...signatures('stddev_over_time stdvar_over_time last_over_time first_over_time', 'm'),
  ...signatures('present_over_time absent_over_time', 'm'),
  ...signatures('quantile_over_time', 'sm'),
  ...signatures('predict_linear', 'ms'),
  ...signatures('label_replace', 'vtttt'),
  ...signatures('label_join', 'vttt', { variadic: -1 }),
  ...signatures('histogram_avg histogram_count histogram_sum histogram_stddev histogram_stdvar', 'v'),
  ...signatures('histogram_fraction', 'ssv'),
  ...signatures('histogram_quantile', 'sv'),
  ...signatures('histogram_quantiles', 'vtss', { variadic: 9, ...X }),
  ...signatures('double_exponential_smoothing', 'mss', X),
  ...signatures('mad_over_time ts_of_first_over_time ts_of_last_over_time', 'm', X),
  ...signatures('ts_of_max_over_time ts_of_min_over_time', 'm', X),
  ...signatures('sort_by_label sort_by_label_desc', 'vt', { variadic: -1, ...X }),
  ...signatures('info', 'vv', { variadic: 1, ...X }),
  ...signatures('start_timestamp', 'v', X),
  ...signatures('max_of min_of', 'ss', { returns: 'scalar', ...X }),
  ...signatures('start end step range', '', { returns: 'scalar', ...X }),
];

export const functionTable: Readonly<Record<string, FunctionSignature>> = Object.freeze(
  Object.assign(
    // Without a prototype, so a query cannot call `constructor`.
    Object.create(null) as Record<string, FunctionSignature>,
    Object.fromEntries(SIGNATURES.map((signature) => [signature.name, signature])),
  ),
);
