// Statements of the test language.

import type { SeriesDescription } from './sequence.ts';
import type { StartOffset } from './start-times.ts';

/** How a text must be: equal to something, or matched by a regexp, or anything. */
export interface TextPattern {
  readonly text?: string;
  readonly regexp?: RegExp;
}

export interface ClearStatement {
  readonly kind: 'clear';
  readonly line: number;
}

export interface LoadStatement {
  readonly kind: 'load';
  readonly line: number;
  readonly stepMs: number;
  readonly series: readonly SeriesDescription[];
  /** Whether classic histograms are also to be loaded as native ones. */
  readonly withNative: boolean;
  /** Offsets of start times, by the series' key. */
  readonly startTimes: ReadonlyMap<string, readonly StartOffset[]>;
}

export interface Expectations {
  ordered: boolean;
  fail: TextPattern | undefined;
  readonly warn: TextPattern[];
  readonly info: TextPattern[];
  noWarn: boolean;
  noInfo: boolean;
  scalar: number | undefined;
  string: string | undefined;
  /** The times of a range vector that an instant query gives. */
  rangeVector: { readonly startMs: number; readonly endMs: number; readonly stepMs: number } | undefined;
  readonly series: SeriesDescription[];
}

export interface EvalStatement {
  readonly kind: 'eval';
  readonly line: number;
  readonly expr: string;
  readonly startMs: number;
  readonly endMs: number;
  /** 0 for an instant query, whose start is its end. */
  readonly stepMs: number;
  readonly expect: Expectations;
}

export type Statement = ClearStatement | LoadStatement | EvalStatement;

export function matchesPattern(pattern: TextPattern, text: string): boolean {
  if (pattern.text !== undefined) return pattern.text === text;
  return pattern.regexp === undefined || pattern.regexp.test(text);
}
