// Full chunks of the head on disk, so that they take no memory: chunks_head/000001 and on, in Prometheus's format.
//
// The WAL has all that is in them: they are not synced, and a start deletes them. A page of chunks is written at once; a
// file goes when all of its pages have. See docs/format/head-chunks.md.

import { crc32c } from '@flotilla/kernel';
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../api.ts';
import type { Io } from '../io.ts';

const MAGIC = 0x0130bc91;
const VERSION = 1;
const HEADER_BYTES = 8;
const FILE_BYTES_MAX = 128 << 20;
const CHECKSUM_BYTES = 4;

export class HeadChunkFile {
  readonly path: string;
  private readonly fd: number;
  private readonly readFd: number;
  private readonly io: Io;
  size = HEADER_BYTES;
  pages = 0;
  isOpen = true;

  constructor(path: string, io: Io) {
    this.path = path;
    this.io = io;
    this.fd = io.create(path);
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32BE(MAGIC);
    header.writeUInt8(VERSION, 4);
    io.write(this.fd, header);
    this.readFd = openSync(path, 'r');
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

export class HeadChunkFiles {
  private readonly dir: string;
  private readonly io: Io;
  private readonly log: Log;
  private readonly files = new Set<HeadChunkFile>();
  private current: HeadChunkFile | undefined;
  private number = 0;
  failures = 0;
  damaged = 0;

  /** Empties the folder. */
  constructor(dir: string, io: Io, log: Log) {
    this.dir = dir;
    this.io = io;
    this.log = log;
    io.remove(dir);
    io.makeFolder(dir);
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
    const name = String(++this.number).padStart(6, '0');
    this.current = new HeadChunkFile(join(this.dir, name), this.io);
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
  }
}
