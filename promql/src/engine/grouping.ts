// Which group each series belongs to, worked out once per operator, so that no label is looked at per sample.

import { Labels, METRIC_NAME } from '@flotilla/model';
import { filterLabels, listOf, type SeriesList } from './series-list.ts';

/** `by (names)`, or `without (names)`. */
export interface Grouping {
  readonly names: readonly string[];
  readonly without: boolean;
}

export interface Groups {
  /** The group of each series. */
  readonly of: Uint32Array;
  /** The groups, in the order of their first series. Their labels are unique. */
  readonly series: SeriesList;
}

/** The labels of the group of a series. */
export function groupLabels(labels: Labels, { names, without }: Grouping): Labels {
  if (without) return filterLabels(labels, (name) => name !== METRIC_NAME && !names.includes(name));
  return labels.only(names);
}

/** A string that is equal for series of one group, and for no others; cheaper than the group's labels. */
export function groupKey(labels: Labels, { names, without }: Grouping): string {
  // By one label is the rule; its text is there, and maps have its hash.
  if (!without && names.length === 1) return labels.get(names[0]!);
  let key = '';
  if (!without) {
    for (const name of names) key += keyPart(labels.get(name));
    return key;
  }
  const { flat } = labels;
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i]!;
    if (name !== METRIC_NAME && !names.includes(name)) key += keyPart(name) + keyPart(flat[i + 1]!);
  }
  return key;
}

function keyPart(text: string): string {
  return `${text.length}:${text}`;
}

/** A group loses its name when the query ends if any of its series does. */
export function groupSeries(series: SeriesList, grouping: Grouping): Groups {
  const of = new Uint32Array(series.count);
  if (series.count > 0 && grouping.names.length === 0 && !grouping.without) {
    const doomed = Uint8Array.of(series.doomed.includes(1) ? 1 : 0);
    return { of, series: listOf([Labels.EMPTY], true, doomed) };
  }
  const labels: Labels[] = [];
  const doomed: number[] = [];
  const groupOf = new Map<string, number>();
  series.labels.forEach((one, i) => {
    const key = groupKey(one, grouping);
    let group = groupOf.get(key);
    if (group === undefined) {
      group = labels.push(groupLabels(one, grouping)) - 1;
      doomed.push(0);
      groupOf.set(key, group);
    }
    if (series.doomed[i] === 1) doomed[group] = 1;
    of[i] = group;
  });
  return { of, series: listOf(labels, true, Uint8Array.from(doomed)) };
}

/** The rows of each group, in order. */
export function rowsOfGroups(groups: Groups): number[][] {
  const rows: number[][] = groups.series.labels.map(() => []);
  groups.of.forEach((group, row) => rows[group]!.push(row));
  return rows;
}
