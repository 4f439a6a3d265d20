// Vector matching: which series of two vectors meet, and what the labels of their result are.

import { type Labels, LabelsBuilder } from '@flotilla/model';
import type { VectorMatching } from '../ast.ts';
import { type Grouping, groupKey, groupLabels } from './grouping.ts';
import { filterLabels, type SeriesList } from './series-list.ts';

/** Both sides' series by the labels that they match on. Equal numbers match. */
export interface Signatures {
  readonly left: Uint32Array;
  readonly right: Uint32Array;
  readonly count: number;
}

function groupingOf(matching: VectorMatching): Grouping {
  return { names: matching.labels, without: !matching.on };
}

/** What on() keeps, or ignoring() leaves. */
export function matchLabels(labels: Labels, matching: VectorMatching): Labels {
  return groupLabels(labels, groupingOf(matching));
}

export function matchSignatures(left: SeriesList, right: SeriesList, matching: VectorMatching): Signatures {
  const grouping = groupingOf(matching);
  const ids = new Map<string, number>();
  const number = (labels: Labels): number => {
    const key = groupKey(labels, grouping);
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
  let labels = dropsName ? many.withoutMetadata() : many;
  if (matching.card === 'one-to-one') {
    labels = filterLabels(labels, (name) => matching.labels.includes(name) === matching.on);
  }
  if (matching.include.length === 0) return labels;
  const builder = new LabelsBuilder(labels);
  for (const name of matching.include) builder.set(name, one.get(name));
  return builder.labels();
}

/** The labels of a match group as an error names it. */
export function matchGroupText(labels: Labels, matching: VectorMatching): string {
  return matchLabels(labels, matching).toString();
}
