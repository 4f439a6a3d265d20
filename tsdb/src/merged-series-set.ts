// Several sets of series as one, in label order: the head and the blocks of a database.
//
// Parts of one series come from sets that follow each other in time; where chunks overlap (imported blocks), they are
// merged into new ones, and at equal times the later set wins.

import { ChunkListReader, packChunks } from '@flotilla/kernel';
import { compareLabels, compareLabelSets, type Labels } from '@flotilla/model';
import type { RawChunk, Schedule, SelectOptions, SeriesSet } from './api.ts';
import { mergeChunks, mergeChunksStrictly } from './chunk/merge-chunks.ts';

interface Part {
  readonly set: SeriesSet;
  /** Of its current series; labels if it has no label set, or somebody asked. */
  labelSet: Uint8Array | undefined;
  labels: Labels | undefined;
}

export class MergedSeriesSet implements SeriesSet {
  private readonly sets: readonly SeriesSet[];
  private parts: Part[] = [];
  /** The parts that have the current series. */
  private current: Part[] = [];
  private readonly merge: typeof mergeChunks;
  private readonly joined = new JoinedLists();
  private left: number;
  private started = false;

  /** `sets` ascend in time. `strict`: damage throws CorruptionError instead of being left out. */
  constructor(sets: readonly SeriesSet[], options: SelectOptions & { readonly strict?: boolean }) {
    this.sets = sets;
    this.merge = options.strict === true ? mergeChunksStrictly : mergeChunks;
    this.left = options.limit || Infinity;
  }

  next(): boolean {
    if (this.left === 0) return false;
    this.advance();
    if (this.parts.length === 0) return false;
    this.left--;
    this.current.length = 0;
    for (const part of this.parts) {
      const order = this.current.length === 0 ? 0 : compareParts(part, this.current[0]!);
      if (order < 0) this.current.length = 0;
      if (order <= 0) this.current.push(part);
    }
    return true;
  }

  private advance(): void {
    if (!this.started) {
      this.started = true;
      this.parts = this.sets.map((set) => ({ set, labelSet: undefined, labels: undefined }));
      this.parts = this.parts.filter(step);
      return;
    }
    const done = new Set(this.current.filter((part) => !step(part)));
    if (done.size > 0) this.parts = this.parts.filter((part) => !done.has(part));
  }

  get labels(): Labels {
    return this.current[0]!.set.labels;
  }

  get labelSet(): Uint8Array | undefined {
    return this.current[0]!.set.labelSet;
  }

  /** The newest one that is known. */
  get schedule(): Schedule | undefined {
    return this.current.findLast(({ set }) => set.schedule !== undefined)?.set.schedule;
  }

  get chunks(): readonly RawChunk[] {
    if (this.current.length === 1) return this.current[0]!.set.chunks;
    return this.merge(this.current.flatMap(({ set }) => set.chunks));
  }

  get chunkList(): Uint8Array {
    if (this.current.length === 1) return this.current[0]!.set.chunkList;
    this.joined.clear();
    const follow = this.current.every(({ set }) => this.joined.add(set.chunkList));
    return follow ? this.joined.bytes() : packChunks(this.chunks);
  }

  close(): void {
    this.parts = [];
    this.left = 0;
    for (const set of this.sets) set.close();
  }
}

/** Chunk lists of one series that follow each other in time, copied into one. */
class JoinedLists {
  private readonly reader = new ChunkListReader(new Uint8Array(0));
  private memory = new Uint8Array(4096);
  private used = 0;
  private endMs = -Infinity;

  clear(): void {
    this.used = 0;
    this.endMs = -Infinity;
  }

  /** False if a list overlaps with those before it. */
  add(list: Uint8Array): boolean {
    const { reader } = this;
    reader.begin(list);
    while (reader.next()) {
      if (reader.minTimeMs <= this.endMs) return false;
      this.endMs = reader.maxTimeMs;
    }
    this.reserve(this.used + list.length);
    this.memory.set(list, this.used);
    this.used += list.length;
    return true;
  }

  private reserve(bytes: number): void {
    if (bytes <= this.memory.length) return;
    const grown = new Uint8Array(2 * bytes);
    grown.set(this.memory.subarray(0, this.used));
    this.memory = grown;
  }

  bytes(): Uint8Array {
    return this.memory.subarray(0, this.used);
  }
}

function step(part: Part): boolean {
  if (!part.set.next()) return false;
  part.labelSet = part.set.labelSet;
  part.labels = undefined;
  return true;
}

/** As compareLabels; by bytes if they are there: labels of each series of each set are many strings. */
function compareParts(a: Part, b: Part): number {
  if (a.labelSet !== undefined && b.labelSet !== undefined) return compareLabelSets(a.labelSet, b.labelSet);
  return compareLabels((a.labels ??= a.set.labels), (b.labels ??= b.set.labels));
}
