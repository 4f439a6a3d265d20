// The labels of an operator's series, fixed before any of its values is computed.
//
// Names go at once (Prometheus's default) or, with delayed name removal, when the query ends: until then `doomed` marks
// the series whose name will go, so that label_replace() and grouping still see it.

import { Labels, METRIC_NAME } from '@flotilla/model';

export interface SeriesList {
  readonly labels: readonly Labels[];
  /** 1 for a series that loses its name when the query ends. */
  readonly doomed: Uint8Array;
  /** Known to have no two equal labels; false says nothing. */
  readonly unique: boolean;
}

export const NO_SERIES: SeriesList = { labels: [], doomed: new Uint8Array(0), unique: true };

/** What a scalar is: one series without labels. */
export const ONE_SERIES: SeriesList = { labels: [Labels.EMPTY], doomed: new Uint8Array(1), unique: true };

export function listOf(labels: readonly Labels[], unique: boolean): SeriesList {
  return { labels, doomed: new Uint8Array(labels.length), unique };
}

/** The labels that describe the metric rather than the series; arithmetic and functions take them away. */
const METADATA = [METRIC_NAME, '__type__', '__unit__'];

export function withoutMetadata(labels: Labels): Labels {
  const { flat } = labels;
  for (let i = flat[0] === METRIC_NAME ? 2 : 0; i < flat.length; i += 2)
    if (flat[i]!.startsWith('__') && METADATA.includes(flat[i]!)) return filterLabels(labels, isNoMetadata);
  return flat[0] === METRIC_NAME ? Labels.fromSorted(flat.slice(2)) : labels;
}

function isNoMetadata(name: string): boolean {
  return !METADATA.includes(name);
}

/** Some of the labels; the same object if that is all of them. */
export function filterLabels(labels: Labels, keeps: (name: string) => boolean): Labels {
  const kept: string[] = [];
  const { flat } = labels;
  for (let i = 0; i < flat.length; i += 2) if (keeps(flat[i]!)) kept.push(flat[i]!, flat[i + 1]!);
  return kept.length === flat.length ? labels : Labels.fromSorted(kept);
}

/** The list after an operation that changes what the metric is. */
export function withoutNames(list: SeriesList, delayed: boolean): SeriesList {
  if (delayed) return { ...list, doomed: new Uint8Array(list.labels.length).fill(1) };
  return listOf(list.labels.map(withoutMetadata), list.unique && shareMetadata(list.labels));
}

/** Whether unique labels stay unique without their metadata, because it is the same in all. */
function shareMetadata(labels: readonly Labels[]): boolean {
  return METADATA.every((name) => {
    const first = labels[0]?.get(name);
    return labels.every((one) => one.get(name) === first);
  });
}

/** The list at the end of a query, when doomed names go. */
export function withoutDoomedNames(list: SeriesList): SeriesList {
  if (!list.doomed.includes(1)) return list;
  return listOf(
    list.labels.map((labels, i) => (list.doomed[i] === 1 ? withoutMetadata(labels) : labels)),
    false,
  );
}

/** Whether two series have the same labels. */
export function hasDuplicates(list: SeriesList): boolean {
  if (list.unique || list.labels.length < 2) return false;
  return new Set(list.labels.map((labels) => labels.key)).size < list.labels.length;
}

/** Some series of a list, in the order of `rows`, none of them twice. */
export function pickSeries(list: SeriesList, rows: readonly number[]): SeriesList {
  return {
    labels: rows.map((row) => list.labels[row]!),
    doomed: Uint8Array.from(rows, (row) => list.doomed[row]!),
    unique: list.unique,
  };
}
