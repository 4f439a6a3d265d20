// What a transaction says of series besides their samples: exemplars.

import type { HeadKernel } from '@flotilla/kernel';
import type { Exemplar, ExemplarCode, SeriesRef } from '../api.ts';
import { encodeExemplars, type RefExemplar } from '../wal/exemplar-records.ts';
import type { Head } from './head.ts';

export class Annotations {
  private readonly head: Head;
  private exemplars: RefExemplar[] = [];

  constructor(head: Head) {
    this.head = head;
  }

  get isEmpty(): boolean {
    return this.exemplars.length === 0;
  }

  addExemplar(ref: SeriesRef, exemplar: Exemplar): ExemplarCode {
    if (!this.head.isLive(ref)) return 'unknown series';
    const code = this.head.exemplars.check(ref, exemplar);
    if (code === 'ok') this.exemplars.push({ ref, exemplar });
    return code;
  }

  /** Frames what comes after the samples. */
  frameLast(kernel: HeadKernel, pageOffset: number): void {
    if (this.exemplars.length > 0) kernel.frameRecord(encodeExemplars(this.exemplars), pageOffset);
  }

  apply(): void {
    for (const { ref, exemplar } of this.exemplars)
      if (this.head.isLive(ref)) this.head.exemplars.add(ref, exemplar);
  }

  clear(): void {
    if (this.exemplars.length > 0) this.exemplars = [];
  }
}
