// The names of --enable-feature, as Prometheus has them, and what they turn on. A name of no query feature is ignored.

import type { EngineOptions, ParserOptions } from '@flotilla/promql';

export interface QueryFeatures {
  readonly parser: ParserOptions;
  /** Of /api/v1/search. */
  readonly hasSearch: boolean;
  readonly engine: Pick<EngineOptions, 'delayedNameRemoval' | 'useStartTimestamps'>;
}

/** `list` has commas between the names. */
export function queryFeatures(list: string): QueryFeatures {
  const names = new Set(list.split(',').map((name) => name.trim()));
  return {
    parser: {
      experimentalFunctions: names.has('promql-experimental-functions'),
      extendedRangeSelectors: names.has('promql-extended-range-selectors'),
      binopFillModifiers: names.has('promql-binop-fill-modifiers'),
    },
    hasSearch: names.has('search-api'),
    engine: {
      delayedNameRemoval: names.has('promql-delayed-name-removal'),
      useStartTimestamps: names.has('use-start-timestamps'),
    },
  };
}
