// What a block's index holds, counted: for `flotilla tsdb analyze`.

import type { NamedCount } from '../api.ts';
import type { Block } from './block.ts';
import { IndexReader } from './index-reader.ts';

export interface BlockAnalysis {
  readonly ulid: string;
  readonly durationMs: number;
  readonly series: number;
  readonly labelNames: number;
  /** Distinct label pairs. */
  readonly postings: number;
  /** Label pairs of all series together. */
  readonly entries: number;
  /** By how many series would live as long as the block lacks of theirs. All lists are in no order, and whole. */
  readonly churnByPair: readonly NamedCount[];
  readonly churnByName: readonly NamedCount[];
  readonly seriesByPair: readonly NamedCount[];
  /** Bytes of the distinct values. */
  readonly valueBytesByName: readonly NamedCount[];
  readonly valuesByName: readonly NamedCount[];
  readonly seriesByMetric: readonly NamedCount[];
}

/** Throws CorruptionError. */
export function analyzeBlock(block: Block): BlockAnalysis {
  const { meta, index } = block;
  const durationMs = meta.maxTime - meta.minTime;
  const pairs = new Map<string, number>();
  const pairChurn = new Map<string, number>();
  const nameChurn = new Map<string, number>();
  let entries = 0;
  const reader = new IndexReader(index);
  try {
    for (const id of reader.all()) {
      const { labels, chunks } = reader.series(id);
      const lived = (chunks.at(-1)?.maxTimeMs ?? 0) - (chunks[0]?.minTimeMs ?? 0);
      for (const [name, value] of labels) {
        const pair = `${name}=${value}`;
        add(pairs, pair, 1);
        add(pairChurn, pair, durationMs - lived);
        add(nameChurn, name, durationMs - lived);
        entries++;
      }
    }
  } finally {
    reader.close();
  }
  const names = [...index.names];
  const whole = (counts: Map<string, number>): NamedCount[] =>
    listOf(counts, (uncovered) => Math.floor(uncovered / durationMs));
  return {
    ulid: meta.ulid,
    durationMs,
    series: meta.stats.numSeries,
    labelNames: names.length,
    postings: pairs.size,
    entries,
    churnByPair: whole(pairChurn),
    churnByName: whole(nameChurn),
    seriesByPair: listOf(pairs),
    valueBytesByName: names.map(([name, values]) => ({ name, value: bytesOf(values.keys()) })),
    valuesByName: names.map(([name, values]) => ({ name, value: values.size })),
    seriesByMetric: listOf(pairs)
      .filter(({ name }) => name.startsWith('__name__='))
      .map(({ name, value }) => ({ name: name.slice('__name__='.length), value })),
  };
}

function add(counts: Map<string, number>, key: string, more: number): void {
  counts.set(key, (counts.get(key) ?? 0) + more);
}

function listOf(counts: Map<string, number>, change = (n: number): number => n): NamedCount[] {
  return [...counts].map(([name, value]) => ({ name, value: change(value) }));
}

function bytesOf(texts: Iterable<string>): number {
  let bytes = 0;
  for (const text of texts) bytes += Buffer.byteLength(text);
  return bytes;
}
