// Which series a head has: labels ↔ slot, and label pair → slots.
//
// A series is findable by its labels from the moment it is created, and by matchers from the moment it is published,
// that is, committed.

import { type Labels, type Matcher, METRIC_NAME } from '@flotilla/model';
import type { Cardinality } from '../api.ts';
import type { SnapshotReader } from '../head-snapshot/snapshot-reader.ts';
import { section, type SnapshotWriter } from '../head-snapshot/snapshot-writer.ts';
import { LabelOrder } from './label-order.ts';
import { LabelSets } from './label-sets.ts';
import { LabelSpeller } from './label-speller.ts';
import { isTurnOver } from '../turns.ts';
import { PackedPostings } from './packed-postings.ts';
import { PostingList } from './posting-list.ts';
import { Symbols } from './symbols.ts';
import { TopCounts } from './top-counts.ts';

/** Slots that are filtered between two looks at the clock. */
const SLOTS_PER_LOOK = 512;

export class HeadIndex {
  readonly symbols = new Symbols();
  readonly sets = new LabelSets(this.symbols);
  readonly speller = new LabelSpeller(this.sets, this.symbols);
  private readonly order = new LabelOrder(this.sets);
  /** Name id → value id → series. */
  private readonly postings = new Map<number, Map<number, PackedPostings>>();
  private readonly all = new PostingList();
  /** Changes whenever a series is published or leaves. */
  version = 0;

  get size(): number {
    return this.all.length;
  }

  get labelPairs(): number {
    let pairs = 0;
    for (const values of this.postings.values()) pairs += values.size;
    return pairs;
  }

  find(labels: Labels): number {
    return this.sets.find(labels);
  }

  add(slot: number, labels: Labels): void {
    this.sets.add(slot, labels);
  }

  publish(slot: number): void {
    this.version++;
    this.all.add(slot);
    const pairs = this.sets.pairsOf(slot);
    for (let k = 0; k < pairs.length; k += 2) this.listOf(pairs[k]!, pairs[k + 1]!).add(slot);
  }

  private listOf(name: number, value: number): PackedPostings {
    let values = this.postings.get(name);
    if (values === undefined) this.postings.set(name, (values = new Map<number, PackedPostings>()));
    let list = values.get(value);
    if (list === undefined) values.set(value, (list = new PackedPostings()));
    return list;
  }

  /** Takes a series back that was never published. */
  abandon(slot: number): void {
    this.sets.remove(slot);
  }

  /** Takes published series out. `flags[slot]` is 1 for exactly these. */
  remove(slots: readonly number[], flags: Uint8Array): void {
    this.version++;
    const touched = new Map<number, Set<number>>();
    for (const slot of slots) {
      const pairs = this.sets.pairsOf(slot);
      for (let k = 0; k < pairs.length; k += 2) {
        const name = pairs[k]!;
        let values = touched.get(name);
        if (values === undefined) touched.set(name, (values = new Set<number>()));
        values.add(pairs[k + 1]!);
      }
    }
    for (const [name, values] of touched) for (const value of values) this.shrink(name, value, flags);
    this.all.removeFlagged(flags);
    for (const slot of slots) {
      this.order.forget(slot);
      this.sets.remove(slot);
    }
  }

  private shrink(name: number, value: number, flags: Uint8Array): void {
    const values = this.postings.get(name)!;
    const list = values.get(value)!;
    list.removeFlagged(flags);
    if (list.length > 0) return;
    values.delete(value);
    if (values.size === 0) this.postings.delete(name);
  }

  /** What is published. */
  save(out: SnapshotWriter): void {
    this.symbols.save(out);
    this.sets.save(out);
    out.section(section.postings);
    this.all.save(out);
    out.u32(this.postings.size);
    for (const [name, values] of this.postings) {
      out.u32(name);
      saveLists(values, out);
    }
  }

  /** Of an empty one. */
  load(input: SnapshotReader): void {
    this.version++;
    this.symbols.load(input);
    this.sets.load(input);
    input.section(section.postings);
    this.all.load(input);
    for (let left = input.u32(); left > 0; left--) this.postings.set(input.u32(), loadLists(input));
    if (this.all.length !== this.sets.size)
      throw input.damage(`${this.all.length} of ${this.sets.size} series`);
  }

  /** The published slots that satisfy all matchers, in no order. */
  select(matchers: readonly Matcher[]): Uint32Array {
    const candidates = this.candidates(matchers);
    const filters = matchers.map((matcher) => new SlotFilter(this, matcher));
    return candidates.filter((slot) => filters.every((filter) => filter.accepts(slot)));
  }

  /**
   * The same in slices: `turn` is awaited now and then. A series that comes meanwhile may be left out; none may leave, unless `turn`
   * throws then.
   */
  async selectSlowly(matchers: readonly Matcher[], turn: () => Promise<void>): Promise<Uint32Array> {
    const candidates = this.candidates(matchers).slice();
    const filters = matchers.map((matcher) => new SlotFilter(this, matcher));
    let count = 0;
    for (let i = 0; i < candidates.length; i++) {
      if (i % SLOTS_PER_LOOK === 0 && isTurnOver()) await turn();
      const slot = candidates[i]!;
      if (filters.every((filter) => filter.accepts(slot))) candidates[count++] = slot;
    }
    return candidates.subarray(0, count);
  }

  /** The same in label order. */
  async selectSorted(matchers: readonly Matcher[], turn: () => Promise<void>): Promise<Uint32Array> {
    return this.order.sort(await this.selectSlowly(matchers, turn), this.size, turn);
  }

  /** Of published series. */
  sortByLabels(slots: Uint32Array, turn: () => Promise<void>): Promise<Uint32Array> {
    return this.order.sort(slots, this.size, turn);
  }

  /** The shortest list that is known to contain every match. */
  private candidates(matchers: readonly Matcher[]): Uint32Array {
    let best: Uint32Array = this.all.view();
    for (const matcher of matchers) {
      if (matcher.matchesEmpty) continue;
      const lists = this.listsFor(matcher);
      if (lists === undefined) continue;
      const total = lists.reduce((sum, list) => sum + list.length, 0);
      if (total < best.length) best = concatenated(lists, total);
    }
    return best;
  }

  private listsFor(matcher: Matcher): PackedPostings[] | undefined {
    const nameId = this.symbols.find(matcher.name);
    const values = nameId === undefined ? undefined : this.postings.get(nameId);
    if (values === undefined) return [];
    if (matcher.type === '=') return this.listsOfLiterals(values, [matcher.value]);
    if (matcher.type === '=~' && matcher.setMatches.length > 0) {
      return this.listsOfLiterals(values, [...new Set(matcher.setMatches)]);
    }
    return undefined;
  }

  private listsOfLiterals(
    values: Map<number, PackedPostings>,
    literals: readonly string[],
  ): PackedPostings[] {
    const lists: PackedPostings[] = [];
    for (const literal of literals) {
      const id = this.symbols.find(literal);
      const list = id === undefined ? undefined : values.get(id);
      if (list !== undefined) lists.push(list);
    }
    return lists;
  }

  labelNames(): string[] {
    return [...this.postings.keys()].map((id) => this.symbols.text(id));
  }

  labelValues(name: string): string[] {
    const id = this.symbols.find(name);
    const values = id === undefined ? undefined : this.postings.get(id);
    return values === undefined ? [] : [...values.keys()].map((value) => this.symbols.text(value));
  }

  /** The lists of /api/v1/status/tsdb, as Prometheus counts them. */
  cardinality(limit: number): Cardinality {
    const [metrics, names] = [new TopCounts(limit), new TopCounts(limit)];
    const [memory, pairs] = [new TopCounts(limit), new TopCounts(limit)];
    for (const [nameId, values] of this.postings) {
      const name = this.symbols.text(nameId);
      const counts = name === METRIC_NAME ? metrics : undefined;
      let bytes = 0;
      for (const [valueId, list] of values) {
        const { length } = list;
        const value = this.symbols.text(valueId);
        bytes += Buffer.byteLength(value) * length;
        pairs.offer(length, () => `${name}=${value}`);
        counts?.offer(length, () => value);
      }
      names.offer(values.size, () => name);
      memory.offer(bytes, () => name);
    }
    return {
      seriesCountByMetricName: metrics.list(),
      labelValueCountByLabelName: names.list(),
      memoryInBytesByLabelName: memory.list(),
      seriesCountByLabelValuePair: pairs.list(),
    };
  }
}

function saveLists(values: ReadonlyMap<number, PackedPostings>, out: SnapshotWriter): void {
  const lists = [...values.values()];
  out.array(Uint32Array.from(values.keys()));
  out.array(Uint32Array.from(lists, (list) => list.length));
  out.array(Uint32Array.from(lists, (list) => list.lastSlot));
  out.array(Uint32Array.from(lists, (list) => list.bytesView().length));
  out.arrayOf(lists.map((list) => list.bytesView()));
}

function loadLists(input: SnapshotReader): Map<number, PackedPostings> {
  const ids = input.array(Uint32Array);
  const [counts, lasts] = [input.array(Uint32Array), input.array(Uint32Array)];
  const lengths = input.array(Uint32Array);
  const bytes = input.array(Uint8Array);
  const values = new Map<number, PackedPostings>();
  let at = 0;
  for (const [i, id] of ids.entries()) {
    const end = at + lengths[i]!;
    values.set(id, PackedPostings.of(bytes.subarray(at, end), counts[i]!, lasts[i]!));
    at = end;
  }
  return values;
}

function concatenated(lists: readonly PackedPostings[], total: number): Uint32Array {
  const out = new Uint32Array(total);
  let at = 0;
  for (const list of lists) at = list.copyTo(out, at);
  return out;
}

/** One matcher over slots. It asks the matcher once per distinct value. */
class SlotFilter {
  private readonly index: HeadIndex;
  private readonly matcher: Matcher;
  private readonly nameId: number;
  /** By value id: 0 unknown, 1 no, 2 yes. */
  private readonly verdicts: Uint8Array;

  constructor(index: HeadIndex, matcher: Matcher) {
    this.index = index;
    this.matcher = matcher;
    this.nameId = index.symbols.find(matcher.name) ?? -1;
    this.verdicts = new Uint8Array(this.nameId < 0 ? 0 : index.symbols.capacity);
  }

  accepts(slot: number): boolean {
    const value = this.nameId < 0 ? -1 : this.index.sets.valueOf(slot, this.nameId);
    if (value < 0) return this.matcher.matchesEmpty;
    const verdict = this.verdicts[value]!;
    return verdict === 0 ? this.judge(value) : verdict === 2;
  }

  private judge(value: number): boolean {
    const matches = this.matcher.matches(this.index.symbols.text(value));
    this.verdicts[value] = matches ? 2 : 1;
    return matches;
  }
}
