// Vector matching: which series of two vectors meet, and what the labels of their result are.

import { Labels, LabelsBuilder, METRIC_NAME } from '@flotilla/model';
import type { VectorMatching } from '../ast.ts';
import type { SeriesList } from './series-list.ts';
import { withoutMetadata } from './series-list.ts';

/** Both sides' series by the labels that they match on. Equal numbers match. */
export interface Signatures {
  readonly left: Uint32Array;
  readonly right: Uint32Array;
  readonly count: number;
}

/** What on() keeps, or ignoring() leaves. */
export function matchLabels(labels: Labels, matching: VectorMatching): Labels {
  const builder = new LabelsBuilder(labels);
  if (matching.on) return builder.keep(matching.labels).labels();
  for (const name of matching.labels) builder.delete(name);
  return builder.delete(METRIC_NAME).labels();
}

export function matchSignatures(left: SeriesList, right: SeriesList, matching: VectorMatching): Signatures {
  const ids = new Map<string, number>();
  const number = (labels: Labels): number => {
    const { key } = matchLabels(labels, matching);
    let id = ids.get(key);
    if (id === undefined) ids.set(key, (id = ids.size));
    return id;
  };
  const l = Uint32Array.from(left.labels, number);
  const r = Uint32Array.from(right.labels, number);
  return { left: l, right: r, count: ids.size };
}

/** The labels of the result of two series; `many` is the left side, or the right one for group_right. */
export function resultLabels(
  many: Labels,
  one: Labels,
  matching: VectorMatching,
  dropsName: boolean,
): Labels {
  const builder = new LabelsBuilder(dropsName ? withoutMetadata(many) : many);
  if (matching.card === 'one-to-one') {
    if (matching.on) builder.keep(matching.labels);
    else for (const name of matching.labels) builder.delete(name);
  }
  for (const name of matching.include) builder.set(name, one.get(name));
  return builder.labels();
}

/** The labels of a match group as an error names it. */
export function matchGroupText(labels: Labels, matching: VectorMatching): string {
  return matchLabels(labels, matching).toString();
}
