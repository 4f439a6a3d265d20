// Full chunks of the head on disk, so that they take no memory: chunks_head/000001 and on, in Prometheus's format.
//
// The WAL has all that is in them: they are not synced, and a start deletes them, unless a head snapshot names them. A page
// of chunks is written at once; a file goes when all of its pages have. See docs/format/head-chunks.md.

import { crc32c } from '@flotilla/kernel';
import { Unavailable } from '@flotilla/model';
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../api.ts';
import type { SnapshotReader } from '../head-snapshot/snapshot-reader.ts';
import type { SnapshotWriter } from '../head-snapshot/snapshot-writer.ts';
import type { Io } from '../io.ts';

const MAGIC = 0x0130bc91;
const VERSION = 1;
const HEADER_BYTES = 8;
const FILE_BYTES_MAX = 128 << 20;
const CHECKSUM_BYTES = 4;

export class HeadChunkFile {
  readonly number: number;
  readonly path: string;
  private readonly fd: number;
  private readonly readFd: number;
  private readonly io: Io;
  size = HEADER_BYTES;
  pages = 0;
  isOpen: boolean;
  /** Whether all that was written is durable. */
  isSynced: boolean;

  /** Makes the file, or reads on in one that is there and whole. */
  constructor(dir: string, number: number, io: Io, kept?: { size: number; pages: number }) {
    this.number = number;
    this.path = pathOf(dir, number);
    this.io = io;
    this.isOpen = kept === undefined;
    this.isSynced = kept !== undefined;
    this.fd = kept === undefined ? this.create() : -1;
    if (kept !== undefined) ({ size: this.size, pages: this.pages } = kept);
    this.readFd = openSync(this.path, 'r');
  }

  private create(): number {
    const fd = this.io.create(this.path);
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32BE(MAGIC);
    header.writeUInt8(VERSION, 4);
    this.io.write(fd, header);
    return fd;
  }

  /** Makes an ended file durable. */
  sync(): void {
    if (this.isSynced) return;
    const fd = this.io.openExisting(this.path);
    try {
      this.io.sync(fd);
      this.isSynced = true;
    } finally {
      this.io.close(fd);
    }
  }

  /** Appends a page; returns where it begins. */
  write(page: Uint8Array): number {
    const at = this.size;
    this.io.write(this.fd, page);
    this.size += page.length;
    this.pages++;
    return at;
  }

  end(): void {
    this.isOpen = false;
    this.io.close(this.fd);
  }

  /** The bytes of one chunk, checksum included, which is checked; undefined if it is damaged. */
  read(offset: number, length: number): Buffer | undefined {
    const buffer = Buffer.allocUnsafe(length);
    if (readSync(this.readFd, buffer, 0, length, offset) !== length) return undefined;
    const body = buffer.subarray(0, length - CHECKSUM_BYTES);
    return crc32c(body) === buffer.readUInt32BE(body.length) ? buffer : undefined;
  }

  /** Reads into memory at a place in it; returns how many bytes the file had. */
  readTo(memory: Uint8Array, at: number, length: number, offset: number): number {
    return readSync(this.readFd, memory, at, length, offset);
  }

  close(): void {
    if (this.isOpen) this.end();
    closeSync(this.readFd);
  }
}

function pathOf(dir: string, number: number): string {
  return join(dir, String(number).padStart(6, '0'));
}

export class HeadChunkFiles {
  private readonly dir: string;
  private readonly io: Io;
  private readonly log: Log;
  private readonly files = new Set<HeadChunkFile>();
  private current: HeadChunkFile | undefined;
  private number = 0;
  failures = 0;
  damaged = 0;

  /** Call clear() or load() before anything else. */
  constructor(dir: string, io: Io, log: Log) {
    this.dir = dir;
    this.io = io;
    this.log = log;
  }

  /** Empties the folder. */
  clear(): void {
    this.close();
    this.io.remove(this.dir);
    this.io.makeFolder(this.dir);
  }

  /** Ends all files and makes them durable. Throws what the disk throws, and Unavailable once `mustStop` says so. */
  sync(mustStop: () => boolean): void {
    this.endCurrent();
    for (const file of this.files) {
      if (mustStop()) throw new Unavailable('head chunks: not synced in time');
      file.sync();
    }
    this.io.syncFolder(this.dir);
  }

  /** What sync() has made durable. */
  save(out: SnapshotWriter): void {
    out.u32(this.files.size);
    for (const { number, size, pages } of this.files) for (const n of [number, size, pages]) out.u32(n);
  }

  /** Goes on with files of an earlier process, and deletes all others. Throws if one is not as it was. */
  load(input: SnapshotReader): void {
    for (let left = input.u32(); left > 0; left--) {
      const [number, size, pages] = [input.u32(), input.u32(), input.u32()];
      if (statSync(pathOf(this.dir, number)).size !== size)
        throw input.damage(`head chunk file ${number} has not ${size} bytes`);
      this.files.add(new HeadChunkFile(this.dir, number, this.io, { size, pages }));
      this.number = Math.max(this.number, number);
    }
    const kept = new Set([...this.files].map(({ path }) => path));
    for (const name of readdirSync(this.dir)) {
      const path = join(this.dir, name);
      if (!kept.has(path)) this.io.remove(path);
    }
  }

  adopted(number: number): HeadChunkFile | undefined {
    for (const file of this.files) if (file.number === number) return file;
    return undefined;
  }

  get sizeBytes(): number {
    let bytes = 0;
    for (const file of this.files) bytes += file.size;
    return bytes;
  }

  /** Writes a page; undefined if the disk refuses: then the page has to stay in memory. */
  write(page: Uint8Array): { file: HeadChunkFile; offset: number } | undefined {
    try {
      const file = this.fileFor(page.length);
      return { file, offset: file.write(page) };
    } catch (error) {
      this.failures++;
      this.endCurrent(); // Nobody knows where its end is now.
      const detail = error instanceof Error ? error.message : String(error);
      this.log.error('head chunks: cannot be written, kept in memory', { error: detail });
      return undefined;
    }
  }

  private fileFor(bytes: number): HeadChunkFile {
    if (this.current !== undefined && this.current.size + bytes <= FILE_BYTES_MAX) return this.current;
    this.endCurrent();
    this.current = new HeadChunkFile(this.dir, ++this.number, this.io);
    this.files.add(this.current);
    return this.current;
  }

  private endCurrent(): void {
    const file = this.current;
    this.current = undefined;
    file?.end();
    if (file?.pages === 0) this.delete(file);
  }

  /** One page of a file is not needed any more. */
  release(file: HeadChunkFile): void {
    if (--file.pages === 0 && !file.isOpen) this.delete(file);
  }

  private delete(file: HeadChunkFile): void {
    this.files.delete(file);
    file.close();
    this.io.remove(file.path);
  }

  reportDamage(file: HeadChunkFile, offset: number): void {
    this.damaged++;
    this.log.error('head chunks: damaged chunk left out', { path: file.path, offset });
  }

  close(): void {
    for (const file of this.files) file.close();
    this.files.clear();
    this.current = undefined;
  }
}
