// What a parser accepts beyond the stable language.

export interface ParserOptions {
  /** Functions and aggregators that Prometheus marks as experimental. */
  readonly experimentalFunctions?: boolean;
  /** `anchored` and `smoothed`. */
  readonly extendedRangeSelectors?: boolean;
  /** `fill`, `fill_left` and `fill_right`. */
  readonly binopFillModifiers?: boolean;
  /** Arithmetic in `[…]` and after `offset`; true unless set. */
  readonly durationExpressions?: boolean;
}

export function resolveOptions(options: ParserOptions): Required<ParserOptions> {
  return {
    experimentalFunctions: options.experimentalFunctions ?? false,
    extendedRangeSelectors: options.extendedRangeSelectors ?? false,
    binopFillModifiers: options.binopFillModifiers ?? false,
    durationExpressions: options.durationExpressions ?? true,
  };
}
