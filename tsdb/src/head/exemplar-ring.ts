// The newest exemplars of all series, at most so many: the oldest arrival makes room for the next. Admission is Prometheus's.
//
// An exemplar is a row of numbers and one string, its labels. The rows of a series are a list in time order. A series that
// leaves the head takes its labels along, and finds its exemplars again when it comes back.
//
// Cost: 45 bytes an exemplar and its text (labels have at most 128 characters), 100 bytes a series. Rows are made as needed.

import { Labels } from '@flotilla/model';
import type { Exemplar, ExemplarCode, SeriesRef } from '../api.ts';
import { enlarged } from '../bytes/enlarged.ts';
import type { SnapshotReader } from '../head-snapshot/snapshot-reader.ts';
import { section, type SnapshotWriter } from '../head-snapshot/snapshot-writer.ts';

const NONE = -1;
const LABEL_CHARACTERS_MAX = 128;
const FIRST_ROWS = 256;

interface ExemplarSeries {
  readonly ref: SeriesRef;
  /** Once the series has left the head; undefined while the head knows them. */
  labels: Labels | undefined;
  oldest: number;
  newest: number;
}

/** An exemplar as it is kept. */
interface Row {
  readonly text: string;
  readonly value: number;
  readonly timeMs: number;
  readonly hasTimestamp: boolean;
}

export interface ListedSeries {
  readonly ref: SeriesRef;
  readonly labels: Labels | undefined;
  readonly list: () => Exemplar[];
}

export class ExemplarRing {
  readonly max: number;
  private readonly lateWindowMs: number;
  private texts: string[] = [];
  private owners: (ExemplarSeries | undefined)[] = [];
  private times = new Float64Array(0);
  private values = new Float64Array(0);
  private stamped = new Uint8Array(0);
  private next = new Int32Array(0);
  private before = new Int32Array(0);
  /** The row that is taken next. */
  private at = 0;
  private readonly live = new Map<SeriesRef, ExemplarSeries>();
  private readonly gone = new Map<string, ExemplarSeries>();
  private readonly labelsOf: (ref: SeriesRef) => Labels;
  appended = 0;
  outOfOrder = 0;

  /** `max` 0: keeps none. Exemplars that are older than the newest of their series by less than the window are taken. */
  constructor(max: number, lateWindowMs: number, labelsOf: (ref: SeriesRef) => Labels) {
    this.max = max;
    this.lateWindowMs = lateWindowMs;
    this.labelsOf = labelsOf;
  }

  get size(): number {
    return this.texts.length;
  }

  get seriesCount(): number {
    return this.live.size + this.gone.size;
  }

  /** Time of the exemplar that goes next; 0 if there is none. */
  get oldestTimeMs(): number {
    return this.size === 0 ? 0 : this.times[this.size < this.max ? 0 : this.at]!;
  }

  /** What would become of an exemplar of a live series. */
  check(ref: SeriesRef, exemplar: Exemplar): ExemplarCode {
    if (this.max === 0) return 'disabled';
    if (isTooLong(exemplar.labels)) return 'labels too long';
    const series = this.seriesOf(ref);
    return series === undefined ? 'ok' : this.compare(series, rowOf(exemplar), isSame);
  }

  /** Takes an exemplar of a live series if check() would. */
  add(ref: SeriesRef, exemplar: Exemplar): void {
    if (this.max > 0) this.insert(ref, rowOf(exemplar), isSame);
  }

  /** As add(), of a log, which does not tell whose time it is: equal ones are equal in all. */
  replay(ref: SeriesRef, exemplar: Exemplar): void {
    if (this.max > 0 && !isTooLong(exemplar.labels)) this.insert(ref, rowOf(exemplar), isEqual);
  }

  /** Whether the ring may still have an exemplar of this time of a series. */
  reachesTo(ref: SeriesRef, timeMs: number): boolean {
    const series = this.live.get(ref);
    return series !== undefined && timeMs >= this.times[series.oldest]!;
  }

  private seriesOf(ref: SeriesRef): ExemplarSeries | undefined {
    const known = this.live.get(ref);
    if (known !== undefined || this.gone.size === 0) return known;
    const { key } = this.labelsOf(ref);
    const back = this.gone.get(key);
    if (back === undefined) return undefined;
    this.gone.delete(key);
    const series = { ref, labels: undefined, oldest: back.oldest, newest: back.newest };
    for (let row = series.oldest; row !== NONE; row = this.next[row]!) this.owners[row] = series;
    back.oldest = NONE; // Whoever still reads it finds nothing.
    this.live.set(ref, series);
    return series;
  }

  /** The series leaves the head; its labels can still be asked for. */
  leave(ref: SeriesRef): void {
    const series = this.live.get(ref);
    if (series === undefined) return;
    this.live.delete(ref);
    series.labels = this.labelsOf(ref);
    this.gone.set(series.labels.key, series);
  }

  private compare(series: ExemplarSeries, row: Row, same: (a: Row, b: Row) => boolean): ExemplarCode {
    const newest = this.rowAt(series.newest);
    if (same(row, newest)) return 'duplicate';
    const isOld =
      (row.timeMs < newest.timeMs && row.timeMs <= newest.timeMs - this.lateWindowMs) ||
      (row.timeMs === newest.timeMs &&
        (row.value < newest.value || (row.value === newest.value && row.text < newest.text)));
    return isOld ? 'out of order' : 'ok';
  }

  private rowAt(row: number): Row {
    return {
      text: this.texts[row]!,
      value: this.values[row]!,
      timeMs: this.times[row]!,
      hasTimestamp: this.stamped[row] === 1,
    };
  }

  private insert(ref: SeriesRef, row: Row, same: (a: Row, b: Row) => boolean): void {
    let series = this.seriesOf(ref);
    if (series !== undefined) {
      const code = this.compare(series, row, same);
      if (code === 'out of order') this.outOfOrder++;
      if (code !== 'ok' || this.isInside(series, row.timeMs)) return;
    }
    this.makeRoom();
    series = this.live.get(ref); // It may have lost its last one.
    if (series === undefined)
      this.live.set(ref, (series = { ref, labels: undefined, oldest: NONE, newest: NONE }));
    this.put(this.at, row);
    this.owners[this.at] = series;
    this.link(series, this.at);
    this.at = (this.at + 1) % this.max;
    this.appended++;
  }

  /** A late one of a time that the series has counts as the same, as in Prometheus. */
  private isInside(series: ExemplarSeries, timeMs: number): boolean {
    if (timeMs >= this.times[series.newest]!) return false;
    const row = this.lastUpTo(series, timeMs);
    return row !== NONE && this.times[row] === timeMs;
  }

  /** The newest of a series up to a time, or NONE. */
  private lastUpTo(series: ExemplarSeries, timeMs: number): number {
    let row = series.newest;
    while (row !== NONE && this.times[row]! > timeMs) row = this.before[row]!;
    return row;
  }

  private makeRoom(): void {
    if (this.at === this.times.length) this.grow();
    const owner = this.owners[this.at];
    if (owner === undefined) return;
    const [before, next] = [this.before[this.at]!, this.next[this.at]!];
    if (before === NONE) owner.oldest = next;
    else this.next[before] = next;
    if (next === NONE) owner.newest = before;
    else this.before[next] = before;
    if (owner.oldest !== NONE) return;
    if (owner.labels === undefined) this.live.delete(owner.ref);
    else this.gone.delete(owner.labels.key);
  }

  private grow(): void {
    const rows = Math.min(this.max, Math.max(FIRST_ROWS, this.times.length * 2));
    this.times = enlarged(this.times, new Float64Array(rows));
    this.values = enlarged(this.values, new Float64Array(rows));
    this.stamped = enlarged(this.stamped, new Uint8Array(rows));
    this.next = enlarged(this.next, new Int32Array(rows));
    this.before = enlarged(this.before, new Int32Array(rows));
  }

  private put(at: number, { text, value, timeMs, hasTimestamp }: Row): void {
    this.texts[at] = text;
    this.values[at] = value;
    this.times[at] = timeMs;
    this.stamped[at] = hasTimestamp ? 1 : 0;
  }

  private link(series: ExemplarSeries, row: number): void {
    const before = this.lastUpTo(series, this.times[row]!);
    const next = before === NONE ? series.oldest : this.next[before]!;
    this.before[row] = before;
    this.next[row] = next;
    if (before === NONE) series.oldest = row;
    else this.next[before] = row;
    if (next === NONE) series.newest = row;
    else this.before[next] = row;
  }

  /** The series that have exemplars in a range, both ends included; each lists them in time order when it is asked. */
  *list(minTimeMs: number, maxTimeMs: number): Generator<ListedSeries> {
    for (const series of [...this.live.values(), ...this.gone.values()]) {
      if (series.oldest === NONE) continue; // It went while the list was read.
      if (this.times[series.oldest]! > maxTimeMs || this.times[series.newest]! < minTimeMs) continue;
      const { ref, labels } = series;
      yield { ref, labels, list: () => this.exemplarsOf(series, minTimeMs, maxTimeMs) };
    }
  }

  private exemplarsOf(series: ExemplarSeries, minTimeMs: number, maxTimeMs: number): Exemplar[] {
    const found: Exemplar[] = [];
    for (let row = series.oldest; row !== NONE; row = this.next[row]!) {
      const timeMs = this.times[row]!;
      if (timeMs >= minTimeMs && timeMs <= maxTimeMs) found.push(this.exemplarAt(row));
    }
    return found;
  }

  private exemplarAt(row: number): Exemplar {
    const { text, value, timeMs, hasTimestamp } = this.rowAt(row);
    return { labels: Labels.fromSorted(JSON.parse(text) as string[]), value, timeMs, hasTimestamp };
  }

  save(out: SnapshotWriter): void {
    out.section(section.exemplars);
    const all = [...this.live.values(), ...this.gone.values()];
    const numbers = new Map(all.map((series, i) => [series, i]));
    out.u32(this.at);
    out.texts(this.texts);
    out.array(
      Int32Array.from(this.owners, (owner) => (owner === undefined ? NONE : (numbers.get(owner) ?? NONE))),
    );
    for (const byRow of [this.times, this.values, this.stamped, this.next, this.before]) out.array(byRow);
    out.array(Uint32Array.from(all, ({ ref }) => ref));
    out.array(Int32Array.from(all, ({ oldest }) => oldest));
    out.array(Int32Array.from(all, ({ newest }) => newest));
    out.texts(all.map(({ labels }) => (labels === undefined ? '' : JSON.stringify(labels.flat))));
  }

  /** Of an empty one of the same size. */
  load(input: SnapshotReader): void {
    input.section(section.exemplars);
    this.at = input.u32();
    this.texts = input.texts();
    const owners = input.array(Int32Array);
    this.times = input.array(Float64Array);
    this.values = input.array(Float64Array);
    this.stamped = input.array(Uint8Array);
    this.next = input.array(Int32Array);
    this.before = input.array(Int32Array);
    const all = this.loadSeries(input);
    this.owners = Array.from(owners, (i) => all[i]);
  }

  private loadSeries(input: SnapshotReader): ExemplarSeries[] {
    const [refs, oldest, newest] = [
      input.array(Uint32Array),
      input.array(Int32Array),
      input.array(Int32Array),
    ];
    return input.texts().map((text, i) => {
      const labels = text === '' ? undefined : Labels.fromSorted(JSON.parse(text) as string[]);
      const series = { ref: refs[i]!, labels, oldest: oldest[i]!, newest: newest[i]! };
      if (labels === undefined) this.live.set(series.ref, series);
      else this.gone.set(labels.key, series);
      return series;
    });
  }

  /** All of live series, in the order in which they came. */
  *inOrder(): Generator<{ readonly ref: SeriesRef; readonly exemplar: Exemplar }> {
    const first = this.size < this.max ? 0 : this.at;
    for (let i = 0; i < this.size; i++) {
      const row = (first + i) % this.size;
      const owner = this.owners[row];
      if (owner !== undefined && owner.labels === undefined)
        yield { ref: owner.ref, exemplar: this.exemplarAt(row) };
    }
  }
}

function rowOf({ labels, value, timeMs, hasTimestamp }: Exemplar): Row {
  return { text: JSON.stringify(labels.flat), value, timeMs, hasTimestamp };
}

/** As Prometheus compares with the newest: a time that is the scrape's says nothing. */
function isSame(a: Row, b: Row): boolean {
  const isOtherTime = (a.hasTimestamp || b.hasTimestamp) && a.timeMs !== b.timeMs;
  return !isOtherTime && a.value === b.value && a.text === b.text;
}

function isEqual(a: Row, b: Row): boolean {
  return a.timeMs === b.timeMs && a.value === b.value && a.text === b.text;
}

function isTooLong({ flat }: Labels): boolean {
  let units = 0;
  for (const text of flat) units += text.length;
  if (units <= LABEL_CHARACTERS_MAX) return false;
  let characters = 0;
  for (const text of flat) characters += Array.from(text).length;
  return characters > LABEL_CHARACTERS_MAX;
}
