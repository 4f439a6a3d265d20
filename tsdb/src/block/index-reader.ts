// Reads postings and series of one index from its file. Holds the file open: close it.

import { Labels, type Matcher } from '@flotilla/model';
import { ByteReader } from '../bytes/byte-reader.ts';
import { FileWindow } from './file-window.ts';
import { intersect, subtract, union } from './id-list.ts';
import { checkSum, damageAt, guarded, type IndexFile, readSection } from './index-file.ts';
import { IndexSeries } from './index-series.ts';
import { SERIES_ALIGNMENT } from './index-writer.ts';

const WINDOW_BYTES = 64 << 10;
const SERIES_BYTES_MAX = 64 << 20;
const CHECKSUM_BYTES = 4;
/** Most entries are shorter. */
const SERIES_BYTES = 512;

export class IndexReader {
  private readonly index: IndexFile;
  private readonly file: FileWindow;
  private readonly symbols = new Map<number, string>();
  /** What labelsOf was asked for last, and gave: the next series has most of it in the same places. */
  private lastNumbers = new Uint32Array(16);
  private lastFlat: readonly string[] = [];
  private labelSet = new Uint8Array(512);
  private readonly current = new IndexSeries(this);
  /** Of the window that it was made for. */
  private input = new ByteReader(Buffer.alloc(0));
  private inputWindow: Buffer | undefined;

  constructor(index: IndexFile) {
    this.index = index;
    this.file = new FileWindow(index.path, WINDOW_BYTES);
  }

  close(): void {
    this.file.close();
  }

  /** All series ids, ascending, which is label order. */
  all(): Uint32Array {
    return this.index.allOffset === 0 ? new Uint32Array(0) : this.readList(this.index.allOffset);
  }

  private readList(offset: number): Uint32Array {
    return guarded(this.index.path, offset, () => {
      const input = new ByteReader(readSection(this.file, offset));
      const count = input.be32();
      if (count * 4 !== input.left) throw new RangeError(`${count} postings in ${input.left} bytes`);
      const ids = new Uint32Array(count);
      for (let i = 0; i < count; i++) ids[i] = input.be32();
      return ids;
    });
  }

  labelNames(): string[] {
    return [...this.index.names.keys()];
  }

  labelValues(name: string): string[] {
    return [...(this.index.names.get(name)?.keys() ?? [])];
  }

  /** The ids of the series that satisfy all matchers, ascending. */
  select(matchers: readonly Matcher[]): Uint32Array {
    let ids: Uint32Array | undefined;
    for (const matcher of matchers) {
      if (matcher.matchesEmpty) continue;
      const matching = union(this.listsWhere(matcher, true));
      ids = ids === undefined ? matching : intersect(ids, matching);
      if (ids.length === 0) return ids;
    }
    ids ??= this.all();
    for (const matcher of matchers) {
      if (matcher.matchesEmpty && ids.length > 0) ids = subtract(ids, union(this.listsWhere(matcher, false)));
    }
    return ids;
  }

  private listsWhere(matcher: Matcher, matches: boolean): Uint32Array[] {
    const values = this.index.names.get(matcher.name);
    if (values === undefined) return [];
    if (matcher.type === '=' && matches) {
      const at = values.get(matcher.value);
      return at === undefined ? [] : [this.readList(at)];
    }
    const lists: Uint32Array[] = [];
    for (const [value, at] of values) if (matcher.matches(value) === matches) lists.push(this.readList(at));
    return lists;
  }

  /** Valid until the next one is asked for. */
  series(id: number): IndexSeries {
    const offset = id * SERIES_ALIGNMENT;
    try {
      this.current.read(this.entry(offset), this.index.symbolCount);
    } catch (error) {
      throw damageAt(this.index.path, offset, error);
    }
    return this.current;
  }

  /** The content of a series' entry, after a look at its checksum. */
  private entry(offset: number): ByteReader {
    const { file } = this;
    let at = file.bring(offset, SERIES_BYTES);
    let input = this.inputFrom(at);
    const length = input.uvarint();
    if (length > SERIES_BYTES_MAX) throw new RangeError(`series of ${length} bytes`);
    const lengthBytes = input.offset - at;
    const entryBytes = lengthBytes + length + CHECKSUM_BYTES;
    if (at + entryBytes > file.window.length) {
      at = file.bring(offset, entryBytes);
      if (at + entryBytes > file.window.length) throw new RangeError(`series of ${length} bytes at the end`);
      input = this.inputFrom(at);
    }
    const from = at + lengthBytes;
    const to = from + length;
    checkSum(file.window, file.window.readUInt32BE(to), from, to);
    input.enter(from, to);
    return input;
  }

  /** Of the window, from a place on. */
  private inputFrom(at: number): ByteReader {
    const { window } = this.file;
    if (window !== this.inputWindow) {
      this.inputWindow = window;
      this.input = new ByteReader(window);
    }
    this.input.enter(at, window.length);
    return this.input;
  }

  labelsOf(numbers: Uint32Array, count: number): Labels {
    const { lastNumbers } = this;
    const isAlike = this.lastFlat.length === count;
    const flat: string[] = isAlike ? [...this.lastFlat] : [];
    for (let i = 0; i < count; i++) {
      const number = numbers[i]!;
      if (isAlike && lastNumbers[i] === number) continue;
      flat[i] = this.symbol(number);
    }
    if (lastNumbers.length < count) this.lastNumbers = new Uint32Array(2 * count);
    for (let i = 0; i < count; i++) this.lastNumbers[i] = numbers[i]!;
    this.lastFlat = flat;
    return Labels.fromSorted(flat);
  }

  private symbol(number: number): string {
    let text = this.symbols.get(number);
    if (text === undefined) this.symbols.set(number, (text = this.index.symbol(number)));
    return text;
  }

  labelSetOf(numbers: Uint32Array, count: number): Uint8Array {
    const { index } = this;
    let used = 0;
    for (let i = 0; i < count; i++) {
      const number = numbers[i]!;
      const end = used + index.symbolSize(number);
      if (end > this.labelSet.length) this.growLabelSet(end);
      used = index.copySymbol(number, this.labelSet, used);
    }
    return this.labelSet.subarray(0, used);
  }

  private growLabelSet(bytes: number): void {
    const larger = new Uint8Array(2 * bytes);
    larger.set(this.labelSet);
    this.labelSet = larger;
  }
}
