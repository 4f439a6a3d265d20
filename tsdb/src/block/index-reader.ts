// Reads postings and series of one index from its file. Holds the file open: close it.

import { Labels, type Matcher } from '@flotilla/model';
import { ByteReader } from '../bytes/byte-reader.ts';
import { FileWindow } from './file-window.ts';
import { intersect, subtract, union } from './id-list.ts';
import { checkSum, guarded, type IndexFile, readSection } from './index-file.ts';
import { type ChunkMeta, SERIES_ALIGNMENT } from './index-writer.ts';

const WINDOW_BYTES = 64 << 10;
const SERIES_BYTES_MAX = 64 << 20;
const CHECKSUM_BYTES = 4;
/** Most entries are shorter. */
const SERIES_BYTES = 512;

/** A series of an index. Its labels are numbers of symbols until somebody asks for them. */
export class IndexSeries {
  readonly chunks: readonly ChunkMeta[];
  private readonly reader: IndexReader;
  /** Of names and values in turn. */
  private readonly numbers: readonly number[];
  private decoded: Labels | undefined;

  constructor(reader: IndexReader, numbers: readonly number[], chunks: readonly ChunkMeta[]) {
    this.reader = reader;
    this.numbers = numbers;
    this.chunks = chunks;
  }

  get labels(): Labels {
    return (this.decoded ??= this.reader.labelsOf(this.numbers));
  }

  /** As model's encodeLabels gives it: a view, valid until another one is asked for. */
  get labelSet(): Uint8Array {
    return this.reader.labelSetOf(this.numbers);
  }
}

export class IndexReader {
  private readonly index: IndexFile;
  private readonly file: FileWindow;
  private readonly symbols = new Map<number, string>();
  /** What labelsOf was asked for last, and gave: the next series has most of it in the same places. */
  private lastNumbers: readonly number[] = [];
  private lastFlat: readonly string[] = [];
  private labelSet = new Uint8Array(512);

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

  series(id: number): IndexSeries {
    const offset = id * SERIES_ALIGNMENT;
    return guarded(this.index.path, offset, () => {
      let bytes = this.file.at(offset, SERIES_BYTES);
      const head = new ByteReader(bytes);
      const length = head.uvarint();
      if (length > SERIES_BYTES_MAX) throw new RangeError(`series of ${length} bytes`);
      const [from, to] = [head.offset, head.offset + length];
      if (to + CHECKSUM_BYTES > bytes.length) bytes = this.file.at(offset, to + CHECKSUM_BYTES);
      if (to + CHECKSUM_BYTES > bytes.length) throw new RangeError(`series of ${length} bytes at the end`);
      checkSum(bytes.subarray(from, to), bytes.readUInt32BE(to));
      const input = new ByteReader(bytes, from, to);
      return new IndexSeries(this, this.readNumbers(input), readChunks(input));
    });
  }

  private readNumbers(input: ByteReader): number[] {
    const { symbolCount } = this.index;
    const numbers: number[] = [];
    for (let left = 2 * input.uvarint(); left > 0; left--) {
      const number = input.uvarint();
      if (number >= symbolCount) throw new RangeError(`symbol ${number} of ${symbolCount}`);
      numbers.push(number);
    }
    return numbers;
  }

  labelsOf(numbers: readonly number[]): Labels {
    const { lastNumbers, lastFlat } = this;
    const flat: string[] = [];
    for (let i = 0; i < numbers.length; i++) {
      const number = numbers[i]!;
      flat.push(lastNumbers[i] === number ? lastFlat[i]! : this.symbol(number));
    }
    this.lastNumbers = numbers;
    this.lastFlat = flat;
    return Labels.fromSorted(flat);
  }

  private symbol(number: number): string {
    let text = this.symbols.get(number);
    if (text === undefined) this.symbols.set(number, (text = this.index.symbol(number)));
    return text;
  }

  labelSetOf(numbers: readonly number[]): Uint8Array {
    const { index } = this;
    let used = 0;
    for (let i = 0; i < numbers.length; i++) {
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

function readChunks(input: ByteReader): ChunkMeta[] {
  const chunks: ChunkMeta[] = [];
  let ref = 0;
  let time = 0;
  for (let left = input.uvarint(); left > 0; left--) {
    const minTimeMs = time + (chunks.length === 0 ? input.varint() : input.uvarint());
    time = minTimeMs + input.uvarint();
    ref += chunks.length === 0 ? input.uvarint() : input.varint();
    chunks.push({ minTimeMs, maxTimeMs: time, ref });
  }
  return chunks;
}
