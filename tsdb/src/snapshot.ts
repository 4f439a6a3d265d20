// A copy of a database that costs almost nothing: hard links to its blocks, which never change but for their
// tombstones and meta.json, and those are replaced, not rewritten.

import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Blocks } from './block/blocks.ts';
import { writeBlock } from './block/block-writer.ts';
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
    if (head !== undefined && head.firstMs <= head.maxTimeMs) {
      const plan = { minTimeMs: head.firstMs, maxTimeMs: head.maxTimeMs + 1 };
      const source = await HeadBlockSource.create(head, plan.minTimeMs, plan.maxTimeMs);
      await writeBlock(dir, source, plan, io);
    }
    io.syncFolder(dir);
  } catch (error) {
    io.remove(dir);
    throw error;
  }
}

function linkFolder(from: string, to: string, io: Io): void {
  io.makeFolder(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkFolder(source, target, io);
    else link(source, target, io);
  }
  io.syncFolder(to);
}

function link(from: string, to: string, io: Io): void {
  try {
    io.link(from, to);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EXDEV') throw error;
    copyFileSync(from, to); // Another file system.
  }
}
