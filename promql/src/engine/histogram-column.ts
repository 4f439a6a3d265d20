// Parts of columns of histograms, which make nothing until they are read.

import type { HistogramColumn } from '../storage.ts';

/** The samples [from, to). */
export function columnBetween(column: HistogramColumn, from: number, to: number): HistogramColumn {
  return {
    length: to - from,
    at: (index) => column.at(from + index),
    ...(column.statsAt && { statsAt: (index) => column.statsAt!(from + index) }),
  };
}

/** The samples at some places. */
export function columnAt(column: HistogramColumn, places: readonly number[]): HistogramColumn {
  return { length: places.length, at: (index) => column.at(places[index]!) };
}

export function holdsHistogram(column: HistogramColumn): boolean {
  for (let i = 0; i < column.length; i++) if (column.at(i) !== undefined) return true;
  return false;
}
