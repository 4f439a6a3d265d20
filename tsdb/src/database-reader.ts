// Reads blocks and head as one.

import { compareUtf8, type Matcher } from '@flotilla/model';
import type { Queryable, SelectOptions, SeriesSet } from './api.ts';
import type { Block } from './block/block.ts';
import type { Blocks } from './block/blocks.ts';
import { HeadSeriesSet } from './head/head-series-set.ts';
import type { Head } from './head/head.ts';
import { MergedSeriesSet } from './merged-series-set.ts';

export class DatabaseReader implements Queryable {
  private readonly blocks: Blocks;
  private readonly head: Head;

  constructor(blocks: Blocks, head: Head) {
    this.blocks = blocks;
    this.head = head;
  }

  async select(
    matchers: readonly Matcher[],
    minTimeMs: number,
    maxTimeMs: number,
    options: SelectOptions = {},
  ): Promise<SeriesSet> {
    const sets: SeriesSet[] = [];
    for (const block of this.blocks.overlapping(minTimeMs, maxTimeMs)) {
      const set = readBlock(block, () => block.select(matchers, minTimeMs, maxTimeMs, options));
      if (set !== undefined) sets.push(set);
    }
    if (this.headOverlaps(minTimeMs, maxTimeMs)) {
      sets.push(new HeadSeriesSet(this.head, this.head.select(matchers), minTimeMs, maxTimeMs, options));
    }
    return sets.length === 1 ? sets[0]! : new MergedSeriesSet(sets, options);
  }

  private headOverlaps(minTimeMs: number, maxTimeMs: number): boolean {
    return this.head.firstMs <= maxTimeMs && (this.head.maxTimeMs >= minTimeMs || !this.head.late.isEmpty);
  }

  async labelNames(
    matchers: readonly Matcher[],
    minTimeMs: number,
    maxTimeMs: number,
    limit?: number,
  ): Promise<string[]> {
    const names = new Set<string>();
    for (const block of this.blocks.overlapping(minTimeMs, maxTimeMs)) {
      addAll(
        names,
        readBlock(block, () => block.labelNames(matchers)),
      );
    }
    if (this.headOverlaps(minTimeMs, maxTimeMs)) addAll(names, this.head.labelNames(matchers));
    return sorted(names, limit);
  }

  async labelValues(
    name: string,
    matchers: readonly Matcher[],
    minTimeMs: number,
    maxTimeMs: number,
    limit?: number,
  ): Promise<string[]> {
    const values = new Set<string>();
    for (const block of this.blocks.overlapping(minTimeMs, maxTimeMs)) {
      addAll(
        values,
        readBlock(block, () => block.labelValues(name, matchers)),
      );
    }
    if (this.headOverlaps(minTimeMs, maxTimeMs)) addAll(values, this.head.labelValues(name, matchers));
    return sorted(values, limit);
  }
}

/** A block whose index is damaged says nothing; that is reported by the block. */
function readBlock<T>(block: Block, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    block.damaged(error);
    return undefined;
  }
}

function addAll(set: Set<string>, texts: Iterable<string> | undefined): void {
  for (const text of texts ?? []) set.add(text);
}

function sorted(texts: Set<string>, limit: number | undefined): string[] {
  const all = [...texts].toSorted(compareUtf8);
  return limit ? all.slice(0, limit) : all;
}
