// The index of a block, version 2: what of it is held in memory, and a reader of the rest. See docs/format/index.md.
//
// Symbols, the postings table and the table of contents are checked when it is opened; postings lists and series when
// they are read, from the file. Damage throws CorruptionError.

import { crc32c } from '@flotilla/kernel';
import { CorruptionError } from '@flotilla/model';
import { statSync } from 'node:fs';
import { ByteReader } from '../bytes/byte-reader.ts';
import { FileWindow } from './file-window.ts';

const MAGIC = 0xbaaad700;
const TOC_BYTES = 52;
const SECTION_BYTES_MAX = 2 ** 31;
const PARSE_WINDOW_BYTES = 4096;

/** Value → offset of its postings list. */
export type Values = ReadonlyMap<string, number>;

export class IndexFile {
  readonly path: string;
  private readonly symbolBytes: Buffer;
  private readonly symbolOffsets: Uint32Array;
  readonly names = new Map<string, Map<string, number>>();
  /** Offset of the list of all series. */
  readonly allOffset: number;
  /** About how much memory this takes. */
  readonly sizeBytes: number;

  constructor(path: string) {
    this.path = path;
    const file = new FileWindow(path, PARSE_WINDOW_BYTES);
    try {
      const toc = guarded(path, 0, () => readToc(file, statSync(path).size));
      this.symbolBytes = guarded(path, toc.symbols, () => readSection(file, toc.symbols));
      this.symbolOffsets = guarded(path, toc.symbols, () => symbolOffsetsOf(this.symbolBytes));
      const table = guarded(path, toc.table, () => readSection(file, toc.table));
      guarded(path, toc.table, () => this.readTable(table));
      this.allOffset = this.names.get('')?.get('') ?? 0;
      this.names.delete('');
      this.sizeBytes = this.symbolBytes.length + 4 * this.symbolOffsets.length + 2 * table.length;
    } finally {
      file.close();
    }
  }

  private readTable(section: Buffer): void {
    const input = new ByteReader(section);
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

  get symbolCount(): number {
    return this.symbolOffsets.length - 1;
  }

  /** How many bytes a symbol has, with its length. Requires a number below symbolCount, as copySymbol() does. */
  symbolSize(number: number): number {
    return this.symbolOffsets[number + 1]! - this.symbolOffsets[number]!;
  }

  /** Copies a symbol's length (uvarint) and UTF-8; returns where they end. */
  copySymbol(number: number, to: Uint8Array, at: number): number {
    const { symbolBytes } = this;
    const end = this.symbolOffsets[number + 1]!;
    let out = at;
    for (let i = this.symbolOffsets[number]!; i < end; i++) to[out++] = symbolBytes[i]!;
    return out;
  }

  /** Throws RangeError for a number that is none. */
  symbol(number: number): string {
    if (number >= this.symbolCount) throw new RangeError(`symbol ${number} of ${this.symbolCount}`);
    return new ByteReader(this.symbolBytes, this.symbolOffsets[number]).string();
  }
}

/** Turns the RangeError of damaged bytes into CorruptionError. */
export function guarded<T>(path: string, offset: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw damageAt(path, offset, error);
  }
}

/** What to throw instead of an error: CorruptionError for the RangeError of damaged bytes. */
export function damageAt(path: string, offset: number, error: unknown): unknown {
  return error instanceof RangeError
    ? new CorruptionError(path, offset, error.message, { cause: error })
    : error;
}

function readToc(file: FileWindow, size: number): { symbols: number; table: number } {
  const head = new ByteReader(file.at(0, 5));
  const magic = head.be32();
  const version = head.u8();
  if (magic !== MAGIC || version !== 2)
    throw new RangeError(`magic ${magic}, version ${version}, want index 2`);
  if (size < TOC_BYTES) throw new RangeError(`file of ${size} bytes, want a table of contents`);
  const toc = file.at(size - TOC_BYTES, TOC_BYTES);
  checkSum(toc.subarray(0, -4), toc.readUInt32BE(TOC_BYTES - 4));
  const input = new ByteReader(toc);
  const symbols = input.be64();
  input.skip(4 * 8);
  return { symbols, table: input.be64() };
}

/** The content of a section: be32 length, content, crc32c of the content. */
export function readSection(file: FileWindow, offset: number): Buffer {
  const length = new ByteReader(file.at(offset, 4)).be32();
  if (length > SECTION_BYTES_MAX) throw new RangeError(`section of ${length} bytes`);
  const bytes = file.at(offset + 4, length + 4);
  const want = new ByteReader(bytes, Math.min(length, bytes.length)).be32();
  const content = bytes.subarray(0, length);
  checkSum(content, want);
  return content;
}

function symbolOffsetsOf(section: Buffer): Uint32Array {
  const input = new ByteReader(section);
  const count = input.be32();
  if (count > input.left) throw new RangeError(`${count} symbols in ${input.left} bytes`);
  const offsets = new Uint32Array(count + 1); // And where the last one ends.
  for (let i = 0; i < count; i++) {
    offsets[i] = input.offset;
    input.skip(input.uvarint());
  }
  offsets[count] = input.offset;
  return offsets;
}

/** Of the bytes [from, to). */
export function checkSum(bytes: Uint8Array, want: number, from = 0, to = bytes.length): void {
  const got = crc32c(bytes, 0, from, to);
  if (got !== want) throw new RangeError(`checksum ${got.toString(16)}, want ${want.toString(16)}`);
}
