// What a transaction says of series besides their samples: exemplars and metadata.

import type { HeadKernel } from '@flotilla/kernel';
import { BadRequest } from '@flotilla/model';
import type { Exemplar, ExemplarCode, SeriesMetadata, SeriesRef } from '../api.ts';
import { encodeExemplars, type RefExemplar } from '../wal/exemplar-records.ts';
import { encodeMetadata } from '../wal/metadata-records.ts';
import type { Head } from './head.ts';
import { slotOf } from './ref-table.ts';

/** What the deltas of a record can bridge. */
const TIME_MS_MAX = 2 ** 51;

export class Annotations {
  private readonly head: Head;
  private exemplars: RefExemplar[] = [];
  private readonly metadata = new Map<SeriesRef, SeriesMetadata>();

  constructor(head: Head) {
    this.head = head;
  }

  get isEmpty(): boolean {
    return this.exemplars.length === 0 && this.metadata.size === 0;
  }

  addExemplar(ref: SeriesRef, exemplar: Exemplar): ExemplarCode {
    if (!this.head.isLive(ref)) return 'unknown series';
    if (!Number.isInteger(exemplar.timeMs) || Math.abs(exemplar.timeMs) >= TIME_MS_MAX)
      throw new BadRequest(`exemplar: time ${exemplar.timeMs}, want whole milliseconds below 2^51`);
    const code = this.head.exemplars.check(ref, exemplar);
    if (code === 'ok') this.exemplars.push({ ref, exemplar });
    return code;
  }

  setMetadata(ref: SeriesRef, metadata: SeriesMetadata): void {
    const known = this.metadata.get(ref) ?? this.head.metadata?.get(slotOf(ref));
    if (this.head.metadata === undefined || !this.head.isLive(ref) || isSame(known, metadata)) return;
    this.metadata.set(ref, metadata);
  }

  /** Frames what comes before the samples. */
  frameFirst(kernel: HeadKernel, pageOffset: number): void {
    if (this.metadata.size === 0) return;
    const entries = [...this.metadata].map(([ref, metadata]) => ({ ref, metadata }));
    kernel.frameRecord(encodeMetadata(entries), pageOffset);
  }

  /** Frames what comes after the samples. */
  frameLast(kernel: HeadKernel, pageOffset: number): void {
    if (this.exemplars.length > 0) kernel.frameRecord(encodeExemplars(this.exemplars), pageOffset);
  }

  apply(): void {
    const { head } = this;
    for (const [ref, metadata] of this.metadata)
      if (head.isLive(ref)) head.metadata?.set(slotOf(ref), metadata);
    for (const { ref, exemplar } of this.exemplars) if (head.isLive(ref)) head.exemplars.add(ref, exemplar);
  }

  clear(): void {
    if (this.exemplars.length > 0) this.exemplars = [];
    this.metadata.clear();
  }
}

function isSame(a: SeriesMetadata | undefined, b: SeriesMetadata): boolean {
  return a !== undefined && a.type === b.type && a.help === b.help && a.unit === b.unit;
}
