// A copy of a database that costs almost nothing: hard links to its blocks, which never change but for their
// tombstones and meta.json, and those are replaced, not rewritten.

import { copyFileSync, linkSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Blocks } from './block/blocks.ts';
import { writeBlock } from './block/block-writer.ts';
import { syncFolder } from './block/file-sink.ts';
import { HeadBlockSource } from './head/head-block-source.ts';
import type { Head } from './head/head.ts';
import type { Io } from './io.ts';

/** Makes `dir`, which must not exist. Nothing is left of it when this throws. */
export async function writeSnapshot(
  dir: string,
  blocks: Blocks,
  head: Head | undefined,
  io: Io,
): Promise<void> {
  mkdirSync(dir);
  try {
    for (const block of blocks.all) linkFolder(block.dir, join(dir, basename(block.dir)), io);
    if (head !== undefined && head.minTimeMs <= head.maxTimeMs) {
      const plan = { minTimeMs: head.minTimeMs, maxTimeMs: head.maxTimeMs + 1 };
      await writeBlock(dir, new HeadBlockSource(head, plan.minTimeMs, plan.maxTimeMs), plan, io);
    }
    syncFolder(dir, io);
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}

function linkFolder(from: string, to: string, io: Io): void {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkFolder(source, target, io);
    else link(source, target);
  }
  syncFolder(to, io);
}

function link(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EXDEV') throw error;
    copyFileSync(from, to); // Another file system.
  }
}
