// Reads the index of a block, version 2, from memory. See docs/format/index.md.
//
// Symbols, the postings table and the table of contents are checked when it is opened; postings lists and series when
// they are read. Damage throws CorruptionError.

import { crc32c } from '@flotilla/kernel';
import { CorruptionError, Labels, type Matcher } from '@flotilla/model';
import { ByteReader } from '../bytes/byte-reader.ts';
import { intersect, subtract, union } from './id-list.ts';
import { type ChunkMeta, SERIES_ALIGNMENT } from './index-writer.ts';

const MAGIC = 0xbaaad700;
const TOC_BYTES = 52;

export interface IndexSeries {
  readonly labels: Labels;
  readonly chunks: readonly ChunkMeta[];
}

/** Value → offset of its postings list. */
type Values = Map<string, number>;

export class IndexFile {
  private readonly path: string;
  private readonly file: Buffer;
  private readonly symbolOffsets: Uint32Array;
  private readonly names = new Map<string, Values>();
  /** All series ids, ascending, which is label order. */
  readonly all: Uint32Array;

  /** `file` is the whole file; it is kept. */
  constructor(path: string, file: Buffer) {
    this.path = path;
    this.file = file;
    const toc = this.guarded(0, () => this.readToc());
    this.symbolOffsets = this.guarded(toc.symbols, () => this.readSymbols(toc.symbols));
    this.guarded(toc.table, () => this.readTable(toc.table));
    const all = this.names.get('')?.get('');
    this.names.delete('');
    this.all = all === undefined ? new Uint32Array(0) : this.readList(all);
  }

  get sizeBytes(): number {
    return this.file.length;
  }

  private guarded<T>(offset: number, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new CorruptionError(this.path, offset, error.message, { cause: error });
    }
  }

  private readToc(): { symbols: number; table: number } {
    const head = new ByteReader(this.file);
    const magic = head.be32();
    const version = head.u8();
    if (magic !== MAGIC || version !== 2)
      throw new RangeError(`magic ${magic}, version ${version}, want index 2`);
    const at = this.file.length - TOC_BYTES;
    checkSum(this.file.subarray(at, -4), new ByteReader(this.file, this.file.length - 4).be32());
    const input = new ByteReader(this.file, at);
    const symbols = input.be64();
    input.skip(4 * 8);
    return { symbols, table: input.be64() };
  }

  /** A section: be32 length, content, crc32c of the content. */
  private section(offset: number): ByteReader {
    const length = new ByteReader(this.file, offset).be32();
    const from = offset + 4;
    const want = new ByteReader(this.file, from + length).be32();
    checkSum(this.file.subarray(from, from + length), want);
    return new ByteReader(this.file, from, from + length);
  }

  private readSymbols(offset: number): Uint32Array {
    const input = this.section(offset);
    const count = input.be32();
    if (count > input.left) throw new RangeError(`${count} symbols in ${input.left} bytes`);
    const offsets = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      offsets[i] = input.offset;
      input.skip(input.uvarint());
    }
    return offsets;
  }

  private readTable(offset: number): void {
    const input = this.section(offset);
    for (let left = input.be32(); left > 0; left--) {
      const keys = input.uvarint();
      if (keys !== 2) throw new RangeError(`postings of ${keys} keys, want 2`);
      const name = input.string();
      const value = input.string();
      const at = input.uvarint();
      const values = this.names.get(name);
      if (values === undefined) this.names.set(name, new Map([[value, at]]));
      else values.set(value, at);
    }
  }

  private readList(offset: number): Uint32Array {
    return this.guarded(offset, () => {
      const input = this.section(offset);
      const count = input.be32();
      if (count * 4 !== input.left) throw new RangeError(`${count} postings in ${input.left} bytes`);
      const ids = new Uint32Array(count);
      for (let i = 0; i < count; i++) ids[i] = input.be32();
      return ids;
    });
  }

  private symbol(number: number): string {
    const at = this.symbolOffsets[number];
    if (at === undefined) throw new RangeError(`symbol ${number} of ${this.symbolOffsets.length}`);
    return new ByteReader(this.file, at).string();
  }

  labelNames(): string[] {
    return [...this.names.keys()];
  }

  labelValues(name: string): string[] {
    return [...(this.names.get(name)?.keys() ?? [])];
  }

  /** The ids of the series that satisfy all matchers, ascending. */
  select(matchers: readonly Matcher[]): Uint32Array {
    let ids: Uint32Array | undefined;
    for (const matcher of matchers) {
      if (matcher.matchesEmpty) continue;
      const matching = union(this.listsWhere(matcher, true));
      ids = ids === undefined ? matching : intersect(ids, matching);
    }
    ids ??= this.all;
    for (const matcher of matchers) {
      if (matcher.matchesEmpty && ids.length > 0) ids = subtract(ids, union(this.listsWhere(matcher, false)));
    }
    return ids;
  }

  private listsWhere(matcher: Matcher, matches: boolean): Uint32Array[] {
    const values = this.names.get(matcher.name);
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
    return this.guarded(offset, () => {
      const head = new ByteReader(this.file, offset);
      const length = head.uvarint();
      const from = head.offset;
      const body = head.raw(length);
      checkSum(body, head.be32());
      const input = new ByteReader(this.file, from, from + length);
      return { labels: this.readLabels(input), chunks: readChunks(input) };
    });
  }

  private readLabels(input: ByteReader): Labels {
    const flat: string[] = [];
    for (let left = 2 * input.uvarint(); left > 0; left--) flat.push(this.symbol(input.uvarint()));
    return Labels.fromSorted(flat);
  }
}

function checkSum(bytes: Uint8Array, want: number): void {
  const got = crc32c(bytes);
  if (got !== want) throw new RangeError(`checksum ${got.toString(16)}, want ${want.toString(16)}`);
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
