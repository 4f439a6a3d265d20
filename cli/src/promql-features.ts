// `--enable-feature`: what of PromQL is beyond the stable language, by Prometheus's names.

import type { ParserOptions } from '@flotilla/promql';

export interface PromqlFeatures {
  readonly parser: ParserOptions;
  readonly delayedNameRemoval: boolean;
}

const known: readonly string[] = [
  'promql-experimental-functions',
  'promql-extended-range-selectors',
  'promql-binop-fill-modifiers',
  'promql-delayed-name-removal',
];

/** Each text is a list of names with commas between them. Throws RangeError for one that is not known. */
export function promqlFeatures(lists: readonly string[] = []): PromqlFeatures {
  const names = new Set(lists.flatMap((list) => list.split(',')));
  for (const name of names) {
    if (!known.includes(name)) throw new RangeError(`feature ${name}, want one of ${known.join(', ')}`);
  }
  return {
    parser: {
      experimentalFunctions: names.has('promql-experimental-functions'),
      extendedRangeSelectors: names.has('promql-extended-range-selectors'),
      binopFillModifiers: names.has('promql-binop-fill-modifiers'),
    },
    delayedNameRemoval: names.has('promql-delayed-name-removal'),
  };
}
