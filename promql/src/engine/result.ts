// The result of a query, as an API or a rule takes it.

import type { FloatHistogram, Labels } from '@flotilla/model';
import type { PlanNode } from './plan-tree.ts';

/** How many samples a query looked at for each of its steps. */
export interface SamplesPerStep {
  readonly startMs: number;
  readonly stepMs: number;
  readonly samples: Float64Array;
}

export interface QueryStats {
  /** Samples that selectors and windows looked at, summed over steps. */
  readonly samples: number;
  /** Most cells held at one time. */
  readonly peakSamples: number;
  readonly evalMs: number;
  /** These are there only if the query was measured. */
  readonly perStep?: SamplesPerStep | undefined;
  /** Samples that no earlier step had looked at; absent unless the query was to count them. */
  readonly samplesRead?: number;
  readonly readPerStep?: SamplesPerStep | undefined;
  readonly plan?: PlanNode | undefined;
}

export interface VectorSample {
  readonly labels: Labels;
  readonly timeMs: number;
  /** 0 for a histogram. */
  readonly value: number;
  readonly histogram?: FloatHistogram;
}

export interface HistogramPoint {
  readonly timeMs: number;
  readonly histogram: FloatHistogram;
}

/** The floats in columns of the same length, and the histograms; both oldest first. */
export interface MatrixSeries {
  readonly labels: Labels;
  readonly timestampsMs: Float64Array;
  readonly values: Float64Array;
  /** Absent if there is none. */
  readonly histograms?: readonly HistogramPoint[];
}

export type QueryData =
  | { readonly type: 'vector'; readonly series: readonly VectorSample[] }
  | { readonly type: 'matrix'; readonly series: readonly MatrixSeries[] }
  | { readonly type: 'scalar'; readonly timeMs: number; readonly value: number }
  | { readonly type: 'string'; readonly timeMs: number; readonly value: string };

export type QueryResult = QueryData & {
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  readonly stats: QueryStats;
};
