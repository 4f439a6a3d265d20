// Writes the index of a block, version 2. See docs/format/index.md.
//
// Order of calls: constructor (symbols), addSeries in label order, close. Series stream to disk; ids of postings are
// kept in memory until close.

import { type BlockSeriesEncoder, crc32c } from '@flotilla/kernel';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { PostingList } from '../head/posting-list.ts';
import type { Io } from '../io.ts';
import { isTurnOver, nextTurn } from '../turns.ts';
import { BlockPostings } from './block-postings.ts';
import { FileSink } from './file-sink.ts';

const MAGIC = 0xbaaad700;
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
  private readonly section = new ByteWriter(1 << 10);
  private readonly frame = new ByteWriter(64);
  private readonly symbols: readonly string[];
  private readonly symbolsAt: number;
  private readonly seriesAt: number;
  private readonly all = new PostingList();
  private readonly postings = new BlockPostings();

  /** `symbols`: every name and value once, ascending. */
  constructor(path: string, symbols: readonly string[], io: Io) {
    this.sink = new FileSink(path, io);
    this.symbols = symbols;
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

  /** The next series in label order, whose frames lie from `ref` on. `pairs`: numbers of its names and values in turn. */
  addSeries(pairs: Uint32Array, encoder: BlockSeriesEncoder, ref: number): void {
    this.sink.align(SERIES_ALIGNMENT);
    const id = this.sink.offset / SERIES_ALIGNMENT;
    this.all.add(id);
    this.postings.add(pairs, id);
    this.sink.write(encoder.entry(pairs, ref));
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
    await this.sink.closeLater();
  }

  private async writePostings(): Promise<PostingEntry[]> {
    const entries: PostingEntry[] = [{ name: '', value: '', offset: this.writeList(this.all) }];
    for (const [name, value, list] of this.postings.entries()) {
      const offset = this.writeList(list);
      entries.push({ name: this.symbols[name]!, value: this.symbols[value]!, offset });
      if (isTurnOver()) await nextTurn();
    }
    return entries;
  }

  private writeList(list: PostingList): number {
    this.sink.align(4);
    const offset = this.sink.offset;
    this.section.clear();
    this.section.be32(list.length);
    list.writeTo(this.section);
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
