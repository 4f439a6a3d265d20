// The write-ahead log: appends framed records to numbered segments. See docs/format/wal.md.
//
// A write is all or nothing: what a full disk cut off is truncated away before anything else is written. Data reach the
// disk within the fsync interval; a segment is synced before the next one begins.

import { Unavailable } from '@flotilla/model';
import type { HeadKernel } from '@flotilla/kernel';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Log } from '../api.ts';
import type { Io } from '../io.ts';
import { PAGE_BYTES } from './segment-reader.ts';
import { listSegments, segmentPath } from './segment-files.ts';

export interface WalOptions {
  readonly dir: string;
  readonly segmentBytes: number;
  readonly fsyncIntervalMs: number;
  readonly compress: boolean;
  readonly io: Io;
  readonly log: Log;
}

export class Wal {
  private readonly options: WalOptions;
  private number: number;
  private fd: number;
  private size = 0;
  /** Bytes of the segments before the current one. */
  private closedBytes: number;
  private torn = false;
  private dirty = false;
  private syncingFd = -1;
  private closeAfterSync = false;
  private readonly timer: NodeJS.Timeout;
  writesFailed = 0;
  fsyncsFailed = 0;

  /** Begins a new segment after those that are there. */
  constructor(options: WalOptions) {
    this.options = options;
    options.io.makeFolder(options.dir);
    options.io.syncFolder(dirname(options.dir));
    const segments = listSegments(options.dir);
    this.closedBytes = segments.reduce((sum, n) => sum + statSync(segmentPath(options.dir, n)).size, 0);
    this.number = (segments.at(-1) ?? -1) + 1;
    this.fd = this.openSegment(this.number);
    this.timer = setInterval(() => this.syncLater(), options.fsyncIntervalMs);
    this.timer.unref();
  }

  get dir(): string {
    return this.options.dir;
  }

  get compress(): boolean {
    return this.options.compress;
  }

  get segment(): number {
    return this.number;
  }

  /** Bytes of the current segment that are whole transactions. */
  get segmentBytes(): number {
    return this.size;
  }

  get sizeBytes(): number {
    return this.closedBytes + this.size;
  }

  private openSegment(segment: number): number {
    const { dir, io } = this.options;
    const path = segmentPath(dir, segment);
    io.remove(path); // A try that failed half-way may have left it.
    const fd = io.create(path);
    try {
      io.syncFolder(dir);
      return fd;
    } catch (error) {
      io.close(fd);
      throw error;
    }
  }

  /**
   * Writes the records that `encode` frames, given the offset in the page where they will lie. Throws Unavailable if the
   * disk refuses; then nothing was written. Returns what rewind() takes to undo it.
   */
  write(kernel: HeadKernel, encode: (pageOffset: number) => void): number {
    this.repair();
    if (this.size >= this.options.segmentBytes) this.nextSegment();
    kernel.beginFrames(this.options.compress);
    encode(this.size % PAGE_BYTES);
    const frames = kernel.frames();
    const before = this.size;
    try {
      this.options.io.write(this.fd, frames);
    } catch (error) {
      this.torn = true;
      this.tryRepair();
      throw this.refused('write', error);
    }
    this.size += frames.length;
    this.dirty = true;
    return before;
  }

  /** Takes the last write back, now or before the next one. */
  rewind(sizeBytes: number): void {
    this.size = sizeBytes;
    this.torn = true;
    this.tryRepair();
  }

  private repair(): void {
    if (!this.torn) return;
    try {
      this.options.io.truncate(this.fd, this.size);
    } catch (error) {
      throw this.refused('truncate', error);
    }
    this.torn = false;
  }

  private tryRepair(): void {
    try {
      this.repair();
    } catch {
      // The next write tries again before it writes anything.
    }
  }

  private refused(action: string, cause: unknown): Unavailable {
    this.writesFailed++;
    const detail = cause instanceof Error ? cause.message : String(cause);
    return new Unavailable(`wal: ${action} segment ${this.number}: ${detail}`, { cause });
  }

  /** Ends the current segment, durably, and begins the next. Throws Unavailable if the disk refuses. */
  nextSegment(): void {
    this.repair();
    const old = this.fd;
    try {
      this.options.io.sync(old);
      this.fd = this.openSegment(this.number + 1);
    } catch (error) {
      throw this.refused('end', error);
    }
    this.number++;
    if (this.syncingFd === old) this.closeAfterSync = true;
    else this.options.io.close(old);
    this.closedBytes += this.size;
    this.size = 0;
    this.dirty = false;
  }

  private syncLater(): void {
    if (!this.dirty || this.syncingFd >= 0) return;
    this.dirty = false;
    const fd = this.fd;
    this.syncingFd = fd;
    this.options.io.syncLater(fd, (error) => this.synced(fd, error));
  }

  private synced(fd: number, error: Error | null): void {
    this.syncingFd = -1;
    if (this.closeAfterSync) this.options.io.close(fd);
    this.closeAfterSync = false;
    if (error === null) return;
    this.dirty = true;
    this.fsyncsFailed++;
    this.options.log.error('wal: fsync failed', { segment: this.number, error: error.message });
  }

  /** Makes all that was written durable, now. */
  sync(): void {
    this.options.io.sync(this.fd);
    this.dirty = false;
  }

  /** Deletes the segments up to and including one. */
  dropThrough(segment: number): void {
    for (const n of listSegments(this.options.dir)) {
      if (n > segment || n === this.number) continue;
      const path = segmentPath(this.options.dir, n);
      this.closedBytes -= statSync(path).size;
      this.options.io.remove(path);
    }
  }

  close(): void {
    clearInterval(this.timer);
    this.tryRepair();
    try {
      this.sync();
    } finally {
      if (this.syncingFd === this.fd) this.closeAfterSync = true;
      else this.options.io.close(this.fd);
      this.fd = -1; // Its number may be another file's from now on.
    }
  }
}
