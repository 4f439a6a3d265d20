// Writes the index of a block, version 2. See docs/format/index.md.
//
// Order of calls: constructor (symbols), addSeries in label order, close. Series stream to disk; ids of postings are
// kept in memory until close.

import { crc32c } from '@flotilla/kernel';
import { setImmediate } from 'node:timers/promises';
import { compareUtf8, type Labels } from '@flotilla/model';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { PostingList } from '../head/posting-list.ts';
import type { Io } from '../io.ts';
import { sortSlowly } from '../sort-slowly.ts';
import { FileSink } from './file-sink.ts';

const MAGIC = 0xbaaad700;
/** How many ids of postings are written before the event loop gets its turn. */
const IDS_PER_TURN = 50_000;
const VERSION = 2;
export const SERIES_ALIGNMENT = 16;

export interface ChunkMeta {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly ref: number;
}

interface PostingEntry {
  readonly name: string;
  readonly value: string;
  readonly offset: number;
}

export class IndexWriter {
  private readonly sink: FileSink;
  private readonly section = new ByteWriter(1 << 16);
  private readonly frame = new ByteWriter(64);
  private readonly symbols: readonly string[];
  private readonly numbers: ReadonlyMap<string, number>;
  private readonly symbolsAt: number;
  private readonly seriesAt: number;
  private readonly all = new PostingList();
  /** Name number → value number → series ids. */
  private readonly postings = new Map<number, Map<number, PostingList>>();

  /** `symbols`: every name and value, in any order; twice does no harm. */
  static async create(path: string, symbols: Iterable<string>, io: Io): Promise<IndexWriter> {
    return new IndexWriter(path, await sortSlowly([...new Set(symbols)], compareUtf8), io);
  }

  private constructor(path: string, symbols: readonly string[], io: Io) {
    this.sink = new FileSink(path, io);
    this.symbols = symbols;
    this.numbers = new Map(this.symbols.map((symbol, number) => [symbol, number]));
    this.section.be32(MAGIC);
    this.section.u8(VERSION);
    this.sink.write(this.section.bytes());
    this.symbolsAt = this.sink.offset;
    this.writeSymbols();
    this.sink.align(SERIES_ALIGNMENT);
    this.seriesAt = this.sink.offset;
  }

  private writeSymbols(): void {
    this.section.clear();
    this.section.be32(this.symbols.length);
    for (const symbol of this.symbols) this.section.string(symbol);
    this.writeSection();
  }

  /** be32 length, the section, crc32c of the section. */
  private writeSection(): void {
    this.frame.clear();
    this.frame.be32(this.section.length);
    this.sink.write(this.frame.bytes());
    this.sink.write(this.section.bytes());
    this.writeChecksum();
  }

  private writeChecksum(): void {
    this.frame.clear();
    this.frame.be32(crc32c(this.section.bytes()));
    this.sink.write(this.frame.bytes());
  }

  /** The next series in label order. Chunks ascend in time. */
  addSeries(labels: Labels, chunks: readonly ChunkMeta[]): void {
    this.sink.align(SERIES_ALIGNMENT);
    const id = this.sink.offset / SERIES_ALIGNMENT;
    this.all.add(id);
    this.section.clear();
    this.section.uvarint(labels.length);
    for (let i = 0; i < labels.length; i++) {
      const name = this.numbers.get(labels.name(i))!;
      const value = this.numbers.get(labels.value(i))!;
      this.section.uvarint(name);
      this.section.uvarint(value);
      this.listOf(name, value).add(id);
    }
    this.putChunks(chunks);
    this.frame.clear();
    this.frame.uvarint(this.section.length);
    this.sink.write(this.frame.bytes());
    this.sink.write(this.section.bytes());
    this.writeChecksum();
  }

  private putChunks(chunks: readonly ChunkMeta[]): void {
    this.section.uvarint(chunks.length);
    let before: ChunkMeta | undefined;
    for (const chunk of chunks) {
      if (before === undefined) this.section.varint(chunk.minTimeMs);
      else this.section.uvarint(chunk.minTimeMs - before.maxTimeMs);
      this.section.uvarint(chunk.maxTimeMs - chunk.minTimeMs);
      if (before === undefined) this.section.uvarint(chunk.ref);
      else this.section.varint(chunk.ref - before.ref);
      before = chunk;
    }
  }

  private listOf(name: number, value: number): PostingList {
    let values = this.postings.get(name);
    if (values === undefined) this.postings.set(name, (values = new Map<number, PostingList>()));
    let list = values.get(value);
    if (list === undefined) values.set(value, (list = new PostingList()));
    return list;
  }

  async close(): Promise<void> {
    this.sink.align(4);
    const postingsAt = this.sink.offset;
    const entries = await this.writePostings();
    const tableAt = this.sink.offset;
    this.writeTable(entries);
    this.section.clear();
    // The two label index sections are not written; their places point at what follows, as Prometheus's do.
    for (const at of [this.symbolsAt, this.seriesAt, postingsAt, tableAt, postingsAt, tableAt])
      this.section.be64(at);
    this.sink.write(this.section.bytes());
    this.writeChecksum();
    this.sink.close();
  }

  private async writePostings(): Promise<PostingEntry[]> {
    let written = 0;
    const entries: PostingEntry[] = [{ name: '', value: '', offset: this.writeList(this.all) }];
    for (const [name, values] of ascending(this.postings)) {
      for (const [value, list] of ascending(values)) {
        const offset = this.writeList(list);
        entries.push({ name: this.symbols[name]!, value: this.symbols[value]!, offset });
        written += list.length + 1;
        if (written < IDS_PER_TURN) continue;
        written = 0;
        await setImmediate();
      }
    }
    return entries;
  }

  private writeList(list: PostingList): number {
    this.sink.align(4);
    const offset = this.sink.offset;
    this.section.clear();
    this.section.be32(list.length);
    for (const id of list.view()) this.section.be32(id);
    this.writeSection();
    return offset;
  }

  private writeTable(entries: readonly PostingEntry[]): void {
    this.section.clear();
    this.section.be32(entries.length);
    for (const { name, value, offset } of entries) {
      this.section.uvarint(2);
      this.section.string(name);
      this.section.string(value);
      this.section.uvarint(offset);
    }
    this.writeSection();
  }

  abort(): void {
    this.sink.abort();
  }
}

/** Symbol numbers are in symbol order, so this is the order of the strings. */
function ascending<V>(map: ReadonlyMap<number, V>): [number, V][] {
  return [...map].toSorted(([a], [b]) => a - b);
}
