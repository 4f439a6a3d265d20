// Reads blocks and head as one.

import { compareUtf8, type Matcher } from '@flotilla/model';
import type { Queryable, SelectOptions, SeriesSet } from './api.ts';
import type { Block } from './block/block.ts';
import type { Blocks } from './block/blocks.ts';
import { HeadSeriesSet } from './head/head-series-set.ts';
import type { HeadRead } from './head/head-readers.ts';
import type { Head } from './head/head.ts';
import { isTurnOver, nextTurn } from './turns.ts';
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
    const read = this.beginHead(minTimeMs, maxTimeMs);
    try {
      await this.eachBlock(minTimeMs, maxTimeMs, (block) => {
        sets.push(block.select(matchers, minTimeMs, maxTimeMs, options));
      });
      if (read !== undefined) {
        const selection = await this.head.selections.of(matchers, read);
        sets.push(new HeadSeriesSet(this.head, selection, minTimeMs, maxTimeMs, { ...options, read }));
      }
    } catch (error) {
      read?.end();
      for (const set of sets) set.close();
      throw error;
    }
    return sets.length === 1 ? sets[0]! : new MergedSeriesSet(sets, options);
  }

  /** A read of the head, if it has something in the range. Blocks that are listed now go with it. */
  private beginHead(minTimeMs: number, maxTimeMs: number): HeadRead | undefined {
    const { head } = this;
    const isAfter = head.maxTimeMs < minTimeMs && head.late.isEmpty;
    return head.firstMs > maxTimeMs || isAfter ? undefined : head.readers.begin();
  }

  /** Visits the blocks in the range, one a turn at most. One whose index is damaged says nothing; that is reported by the block. */
  private async eachBlock(
    minTimeMs: number,
    maxTimeMs: number,
    visit: (block: Block) => void | Promise<void>,
  ): Promise<void> {
    const blocks = this.blocks.overlapping(minTimeMs, maxTimeMs);
    for (const block of blocks) block.hold();
    try {
      await nextTurn();
      for (const block of blocks) {
        if (isTurnOver()) await nextTurn();
        try {
          await visit(block);
        } catch (error) {
          block.damaged(error);
        }
      }
    } finally {
      for (const block of blocks) block.letGo();
    }
  }

  async labelNames(
    matchers: readonly Matcher[],
    minTimeMs: number,
    maxTimeMs: number,
    limit?: number,
  ): Promise<string[]> {
    const texts = await this.collect(minTimeMs, maxTimeMs, {
      ofBlock: (block) => block.labelNames(matchers),
      ofHead: (read) => this.head.labelNames(matchers, read),
    });
    return sorted(texts, limit);
  }

  async labelValues(
    name: string,
    matchers: readonly Matcher[],
    minTimeMs: number,
    maxTimeMs: number,
    limit?: number,
  ): Promise<string[]> {
    const texts = await this.collect(minTimeMs, maxTimeMs, {
      ofBlock: (block) => block.labelValues(name, matchers),
      ofHead: (read) => this.head.labelValues(name, matchers, read),
    });
    return sorted(texts, limit);
  }

  private async collect(minTimeMs: number, maxTimeMs: number, from: Sources): Promise<Set<string>> {
    const texts = new Set<string>();
    const read = this.beginHead(minTimeMs, maxTimeMs);
    try {
      await this.eachBlock(minTimeMs, maxTimeMs, async (block) => {
        for (const text of await from.ofBlock(block)) texts.add(text);
      });
      if (read !== undefined) for (const text of await from.ofHead(read)) texts.add(text);
    } finally {
      read?.end();
    }
    return texts;
  }
}

interface Sources {
  ofBlock(block: Block): Promise<Iterable<string>>;
  ofHead(read: HeadRead): Promise<Iterable<string>>;
}

function sorted(texts: Set<string>, limit: number | undefined): string[] {
  const all = [...texts].toSorted(compareUtf8);
  return limit ? all.slice(0, limit) : all;
}
