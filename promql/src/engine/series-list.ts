// The labels of an operator's series, fixed before any of its values is computed.
//
// Names go at once (Prometheus's default) or, with delayed name removal, when the query ends: until then `doomed` marks
// the series whose name will go, so that label_replace() and grouping still see it.

import { Labels, METADATA_LABELS, soleMetadata } from '@flotilla/model';
import type { Selection } from './selection.ts';

export interface SeriesList {
  readonly count: number;
  /** As many; they may be made when they are read first, which an aggregation of all series never does. */
  readonly labels: readonly Labels[];
  /** 1 for a series that loses its name when the query ends. */
  readonly doomed: Uint8Array;
  /** Known to have no two equal labels; false says nothing. */
  readonly unique: boolean;
  /** As in SelectResult. */
  readonly metric?: string | undefined;
}

export const NO_SERIES = listOf([], true);

/** What a scalar is: one series without labels. */
export const ONE_SERIES = listOf([Labels.EMPTY], true);

/** `doomed`: as in SeriesList, or of no series. */
export function listOf(
  labels: readonly Labels[],
  unique: boolean,
  doomed: Uint8Array = new Uint8Array(labels.length),
): SeriesList {
  return { count: labels.length, labels, doomed, unique };
}

/**
 * Labels that are made when they are read first. Not an object with a getter of its own: V8 makes a hidden class for each of those, which
 * keeps what the getter sees, here all series of the query, until the old heap is collected.
 */
class LazySeriesList implements SeriesList {
  readonly count: number;
  readonly doomed: Uint8Array;
  readonly unique: boolean;
  readonly metric: string | undefined;
  private readonly make: () => readonly Labels[];
  private made: readonly Labels[] | undefined;

  constructor(count: number, unique: boolean, metric: string | undefined, make: () => readonly Labels[]) {
    this.count = count;
    this.doomed = new Uint8Array(count);
    this.unique = unique;
    this.metric = metric;
    this.make = make;
  }

  get labels(): readonly Labels[] {
    return (this.made ??= this.make());
  }
}

/** The series of a storage. */
export function storedSeries({ series, metric }: Selection): SeriesList {
  return new LazySeriesList(series.length, true, metric, () => series.map((one) => one.labels));
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
  const { count } = list;
  if (delayed) return listOf(list.labels, list.unique, new Uint8Array(count).fill(1));
  const unique = list.unique && (list.metric !== undefined || shareMetadata(list.labels));
  return new LazySeriesList(count, unique, undefined, () => list.labels.map((one) => one.withoutMetadata()));
}

/** Whether unique labels stay unique without their metadata, because it is the same in all. */
function shareMetadata(labels: readonly Labels[]): boolean {
  const metric = labels.length === 0 ? undefined : soleMetadata(labels[0]!);
  if (metric !== undefined && labels.every((one) => soleMetadata(one) === metric)) return true;
  return METADATA_LABELS.every((name) => {
    const first = labels[0]?.get(name);
    return labels.every((one) => one.get(name) === first);
  });
}

/** The list at the end of a query, when doomed names go. */
export function withoutDoomedNames(list: SeriesList): SeriesList {
  if (!list.doomed.includes(1)) return list;
  return listOf(
    list.labels.map((labels, i) => (list.doomed[i] === 1 ? labels.withoutMetadata() : labels)),
    false,
  );
}

/** Whether two series have the same labels. */
export function hasDuplicates(list: SeriesList): boolean {
  if (list.unique || list.count < 2) return false;
  return new Set(list.labels.map((labels) => labels.key)).size < list.count;
}

/** Some series of a list, in the order of `rows`, none of them twice. */
export function pickSeries(list: SeriesList, rows: readonly number[]): SeriesList {
  return listOf(
    rows.map((row) => list.labels[row]!),
    list.unique,
    Uint8Array.from(rows, (row) => list.doomed[row]!),
  );
}
