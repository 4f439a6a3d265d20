// Reads postings and series of one index from its file. Holds the file open: close it.

import { Labels, type Matcher } from '@flotilla/model';
import { ByteReader } from '../bytes/byte-reader.ts';
import { FileWindow } from './file-window.ts';
import { intersect, subtract, union } from './id-list.ts';
import { checkSum, guarded, type IndexFile, readSection } from './index-file.ts';
import { type ChunkMeta, SERIES_ALIGNMENT } from './index-writer.ts';

const WINDOW_BYTES = 64 << 10;
const SERIES_BYTES_MAX = 64 << 20;

export interface IndexSeries {
  readonly labels: Labels;
  readonly chunks: readonly ChunkMeta[];
}

export class IndexReader {
  private readonly index: IndexFile;
  private readonly file: FileWindow;
  private readonly symbols: (string | undefined)[] = [];

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
      const head = new ByteReader(this.file.at(offset, 5));
      const length = head.uvarint();
      if (length > SERIES_BYTES_MAX) throw new RangeError(`series of ${length} bytes`);
      const bytes = this.file.at(offset + head.offset, length + 4);
      checkSum(bytes.subarray(0, length), new ByteReader(bytes, Math.min(length, bytes.length)).be32());
      const input = new ByteReader(bytes, 0, length);
      return { labels: this.readLabels(input), chunks: readChunks(input) };
    });
  }

  private readLabels(input: ByteReader): Labels {
    const flat: string[] = [];
    for (let left = 2 * input.uvarint(); left > 0; left--) flat.push(this.symbol(input.uvarint()));
    return Labels.fromSorted(flat);
  }

  private symbol(number: number): string {
    return (this.symbols[number] ??= this.index.symbol(number));
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
