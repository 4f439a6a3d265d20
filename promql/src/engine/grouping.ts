// Which group each series belongs to, worked out once per operator, so that no label is looked at per sample.

import { Labels, LabelsBuilder, METRIC_NAME } from '@flotilla/model';
import type { SeriesList } from './series-list.ts';

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
export function groupLabels(labels: Labels, grouping: Grouping): Labels {
  const { names, without } = grouping;
  if (!without && names.length === 0) return Labels.EMPTY;
  const builder = new LabelsBuilder(labels);
  if (!without) return builder.keep(names).labels();
  for (const name of names) builder.delete(name);
  return builder.delete(METRIC_NAME).labels();
}

/** A group loses its name when the query ends if any of its series does. */
export function groupSeries(series: SeriesList, grouping: Grouping): Groups {
  const of = new Uint32Array(series.labels.length);
  const labels: Labels[] = [];
  const doomed: number[] = [];
  const groupOf = new Map<string, number>();
  series.labels.forEach((one, i) => {
    const own = groupLabels(one, grouping);
    let group = groupOf.get(own.key);
    if (group === undefined) {
      group = labels.push(own) - 1;
      doomed.push(0);
      groupOf.set(own.key, group);
    }
    if (series.doomed[i] === 1) doomed[group] = 1;
    of[i] = group;
  });
  return { of, series: { labels, doomed: Uint8Array.from(doomed), unique: true } };
}

/** The rows of each group, in order. */
export function rowsOfGroups(groups: Groups): number[][] {
  const rows: number[][] = groups.series.labels.map(() => []);
  groups.of.forEach((group, row) => rows[group]!.push(row));
  return rows;
}
