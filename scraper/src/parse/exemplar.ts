// An exemplar as a body has it, and as the store takes it.

import { Labels } from '@flotilla/model';
import type { Exemplar } from '@flotilla/tsdb';

export interface ExposedExemplar {
  /** Name, value, name, value …, in the body's order. */
  readonly pairs: readonly string[];
  readonly value: number;
  /** undefined: it has none, and is as old as its sample. */
  readonly timestampMs: number | undefined;
}

/** Deltas of two such times are safe integers, zigzag. */
const timeMsMax = 2 ** 51;

/** Of one sample, ascending by time and value, as Prometheus appends them; those with two labels of one name, or a time that nobody can mean, are left out. */
export function exemplarsOf(exposed: readonly ExposedExemplar[], sampleTimeMs: number): Exemplar[] {
  const exemplars = exposed.flatMap(({ pairs, value, timestampMs }) => {
    const labels = labelsOf(pairs);
    const timeMs = timestampMs ?? sampleTimeMs;
    if (labels === undefined || !(Math.abs(timeMs) < timeMsMax)) return [];
    return [{ labels, value, timeMs, hasTimestamp: timestampMs !== undefined }];
  });
  return exemplars.length < 2
    ? exemplars
    : exemplars.toSorted((a, b) => a.timeMs - b.timeMs || a.value - b.value);
}

function labelsOf(pairs: readonly string[]): Labels | undefined {
  if (pairs.length === 2 && pairs[1] !== '') return Labels.fromSorted(pairs); // As nearly all are.
  try {
    return Labels.fromPairs(
      pairs.flatMap((name, i) => (i % 2 === 0 ? [[name, pairs[i + 1]!] as const] : [])),
    );
  } catch (err) {
    if (err instanceof RangeError) return undefined;
    throw err;
  }
}
