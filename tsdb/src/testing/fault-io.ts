// Faults for tests: a disk that fails at the n-th call, is full, or loses power.
//
// A power cut loses all that was not synced: bytes of files since their last sync, names of folders since the last
// syncFolder. The disk below keeps working as files do; `survivors` builds the folder that a machine would find
// when it starts again.

import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { diskIo, type Io } from '../io.ts';

const SECTOR_BYTES = 512;

class FileNode {
  bytes: Buffer = Buffer.alloc(0);
  synced: Buffer = Buffer.alloc(0);
}

class FolderNode {
  live = new Map<string, FileNode | FolderNode>();
  synced = new Map<string, FileNode | FolderNode>();
}

export class PowerCut extends Error {
  readonly code = 'EIO';
}

/** The same calls as `inner`, with `before` called first: what it throws, the call throws. */
export function watched(inner: Io, before: (name: keyof Io) => void): Io {
  const out: Partial<Record<keyof Io, unknown>> = {};
  for (const name of Object.keys(inner) as (keyof Io)[]) {
    const call = inner[name] as (...args: unknown[]) => unknown;
    out[name] = (...args: unknown[]) => {
      before(name);
      return call.apply(inner, args);
    };
  }
  return out as unknown as Io;
}

/** Calls that change the disk; closing a file is not one. */
export function changesDisk(name: keyof Io): boolean {
  return name !== 'close' && name !== 'openExisting';
}

/** A disk that need not survive the test's own machine. */
export const quick: Io = { ...diskIo, sync() {}, syncLater: (_fd, done) => done(null), syncFolder() {} };

/** Fails call number `at` that changes the disk, once; a failing write leaves half of its bytes. */
export class FailingIo {
  calls = 0;
  failed = false;
  readonly io: Io;

  constructor(at: number) {
    const due = (): boolean => this.calls++ === at && (this.failed = true);
    const others = watched(quick, (name) => {
      if (name !== 'write' && changesDisk(name) && due()) throw new PowerCut(`EIO: ${name} fails`);
    });
    this.io = {
      ...others,
      write(fd, bytes) {
        if (!due()) return quick.write(fd, bytes);
        quick.write(fd, bytes.subarray(0, bytes.length >> 1));
        throw new PowerCut('EIO: short write');
      },
    };
  }
}

/** Keeps account of what is durable, and cuts the power at call number `cutAt` that changes the disk. */
export class PowerIo {
  calls = 0;
  isCut = false;
  readonly io: Io;
  private readonly dir: string;
  private readonly root = new FolderNode();
  private readonly files = new Map<number, FileNode>();

  constructor(dir: string, cutAt = Infinity) {
    this.dir = dir;
    const book = this.bookkeeping();
    this.io = watched(book, (name) => {
      if (changesDisk(name) && this.calls++ >= cutAt) this.isCut = true;
      if (this.isCut && name !== 'close') throw new PowerCut(`power cut at ${name}`);
    });
  }

  private bookkeeping(): Io {
    return {
      create: (path) => {
        const fd = quick.create(path);
        const node = new FileNode();
        this.files.set(fd, node);
        this.folder(dirname(path)).live.set(basename(path), node);
        return fd;
      },
      openExisting: (path) => {
        const fd = quick.openExisting(path);
        this.files.set(fd, this.folder(dirname(path)).live.get(basename(path)) as FileNode);
        return fd;
      },
      write: (fd, bytes) => {
        quick.write(fd, bytes);
        const file = this.files.get(fd)!;
        file.bytes = Buffer.concat([file.bytes, bytes]);
      },
      sync: (fd) => this.sync(fd),
      syncLater: (fd, done) => {
        this.sync(fd);
        done(null);
      },
      truncate: (fd, size) => {
        quick.truncate(fd, size);
        const file = this.files.get(fd)!;
        file.bytes = file.bytes.subarray(0, size);
      },
      close: (fd) => quick.close(fd),
      makeFolder: (path) => this.makeFolder(path),
      rename: (from, to) => {
        quick.rename(from, to);
        const source = this.folder(dirname(from)).live;
        const node = source.get(basename(from))!;
        source.delete(basename(from));
        this.folder(dirname(to)).live.set(basename(to), node);
      },
      link: (from, to) => {
        quick.link(from, to);
        const node = this.folder(dirname(from)).live.get(basename(from))!;
        this.folder(dirname(to)).live.set(basename(to), node);
      },
      remove: (path) => {
        quick.remove(path);
        this.folder(dirname(path)).live.delete(basename(path));
      },
      syncFolder: (path) => {
        if (path === dirname(this.dir)) return; // Of the folder itself; it survives.
        const folder = this.folder(path);
        folder.synced = new Map(folder.live);
      },
    };
  }

  private sync(fd: number): void {
    const file = this.files.get(fd)!;
    file.synced = file.bytes;
  }

  private makeFolder(path: string): void {
    quick.makeFolder(path);
    if (path === this.dir) return;
    const parent = this.folder(dirname(path));
    if (!parent.live.has(basename(path))) parent.live.set(basename(path), new FolderNode());
  }

  private folder(path: string): FolderNode {
    if (path === this.dir) return this.root;
    return this.folder(dirname(path)).live.get(basename(path)) as FolderNode;
  }

  /**
   * Writes to `dir` what is left after the cut. With `torn`, files keep the first half of what was not synced, the
   * last sector of it as zeros.
   */
  survivors(dir: string, torn: boolean): void {
    writeOut(this.root, dir, torn);
  }
}

function writeOut(folder: FolderNode, dir: string, torn: boolean): void {
  mkdirSync(dir, { recursive: true });
  for (const [name, node] of folder.synced) {
    if (node instanceof FolderNode) writeOut(node, join(dir, name), torn);
    else writeFileSync(join(dir, name), torn ? tornBytes(node) : node.synced);
  }
}

function tornBytes({ bytes, synced }: FileNode): Buffer {
  if (bytes.length <= synced.length) return synced;
  const end = synced.length + Math.ceil((bytes.length - synced.length) / 2);
  const half = Buffer.from(bytes.subarray(0, end));
  const sector = Math.max(synced.length, end - (end % SECTOR_BYTES || SECTOR_BYTES));
  return half.fill(0, sector);
}
