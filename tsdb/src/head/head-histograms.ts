// The open histogram chunks of a head, and which series have histograms in open transactions.

import type { HistogramChunks } from '@flotilla/kernel';
import type { ChunkEncoding, RawChunk } from '../api.ts';
import type { SnapshotReader } from '../head-snapshot/snapshot-reader.ts';
import { section, type SnapshotWriter } from '../head-snapshot/snapshot-writer.ts';
import type { NativeHistogram } from '../histogram/native-histogram.ts';
import { OpenHistogram } from '../histogram/open-histogram.ts';
import type { SharedLayout } from '../histogram/shared-layout.ts';
import { grown } from './symbols.ts';

export class HeadHistograms {
  private readonly open = new Map<number, OpenHistogram>();
  /** By slot: samples in open transactions. */
  private staged = new Uint32Array(1024);
  private readonly chunks: HistogramChunks;
  private readonly seal: (slot: number, chunk: RawChunk) => void;

  /** The open chunks live in `chunks`; `seal` takes each full one. */
  constructor(chunks: HistogramChunks, seal: (slot: number, chunk: RawChunk) => void) {
    this.chunks = chunks;
    this.seal = seal;
  }

  get size(): number {
    return this.open.size;
  }

  get(slot: number): OpenHistogram | undefined {
    return this.open.get(slot);
  }

  isIdle(slot: number): boolean {
    return !this.open.has(slot) && !this.isStaged(slot);
  }

  /** Whether some transaction holds the series. */
  isStaged(slot: number): boolean {
    return slot < this.staged.length && this.staged[slot] !== 0;
  }

  /** Holds a series for a transaction. Throws CorruptionError if its open chunk is damaged: nothing can be appended. */
  stage(slot: number): void {
    this.open.get(slot)?.goOn();
    if (slot >= this.staged.length) this.staged = grown(this.staged, slot + 1);
    this.staged[slot]!++;
  }

  unstage(slot: number): void {
    this.staged[slot]!--;
  }

  /** The layout of a sample, if it is that of the open chunk of its series. */
  layoutFor(slot: number, histogram: NativeHistogram): SharedLayout | undefined {
    return this.open.get(slot)?.layoutFor(histogram);
  }

  append(slot: number, timeMs: number, histogram: NativeHistogram, rangeStartMs: number): void {
    const open = this.open.get(slot);
    if (open === undefined) {
      this.open.set(slot, OpenHistogram.begun(this.chunks, timeMs, histogram));
      return;
    }
    const full = open.append(timeMs, histogram, rangeStartMs);
    if (full !== undefined) this.seal(slot, full);
  }

  /** Seals the open chunk if it ends before a time: what comes now is newer, and of another kind. */
  sealBefore(slot: number, timeMs: number): void {
    const open = this.open.get(slot);
    if (open === undefined || open.maxTimeMs >= timeMs) return;
    const full = open.chunk();
    this.drop(slot);
    this.seal(slot, full);
  }

  save(out: SnapshotWriter): void {
    out.section(section.histograms);
    out.u32(this.open.size);
    for (const [slot, open] of this.open) {
      const { minTimeMs, maxTimeMs, samples, encoding, data } = open.chunk();
      for (const n of [slot, samples, encoding]) out.u32(n);
      for (const n of [minTimeMs, maxTimeMs]) out.f64(n);
      out.array(data);
    }
  }

  /** Of an empty one. */
  load(input: SnapshotReader): void {
    input.section(section.histograms);
    for (let left = input.u32(); left > 0; left--) {
      const [slot, samples, encoding] = [input.u32(), input.u32(), input.u32() as ChunkEncoding];
      const [minTimeMs, maxTimeMs] = [input.f64(), input.f64()];
      const chunk = { minTimeMs, maxTimeMs, samples, encoding, data: input.array(Uint8Array) };
      this.open.set(slot, OpenHistogram.reopened(this.chunks, chunk));
    }
  }

  drop(slot: number): void {
    this.open.get(slot)?.free();
    this.open.delete(slot);
  }
}
