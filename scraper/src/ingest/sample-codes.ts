// Appends batches of samples and counts those that the head refuses. A refused sample does not fail its scrape.

import { appendCode, type Appender } from '@flotilla/tsdb';
import { type ExposedExemplar, exemplarsOf } from '../parse/exemplar.ts';
import type { ScrapeCounters } from './scrape-counters.ts';
import type { HistogramSample } from './stale-markers.ts';

/** Samples of one time. */
export interface SampleBatch {
  readonly refs: Uint32Array;
  readonly values: Float64Array;
  readonly count: number;
}

export class SampleCodes {
  /** Samples whose series the head has let go. */
  unknownRefs = 0;
  #outOfOrder = 0;
  #duplicateTimestamp = 0;
  #outOfBounds = 0;
  #exemplarsOutOfOrder = 0;
  #codes = new Uint8Array(64);

  clear(): void {
    this.unknownRefs = 0;
    this.#outOfOrder = 0;
    this.#duplicateTimestamp = 0;
    this.#outOfBounds = 0;
    this.#exemplarsOutOfOrder = 0;
  }

  /** How many samples were refused since their series have other ones of the same time. */
  append(appender: Appender, { refs, values, count }: SampleBatch, timeMs: number): number {
    if (count === 0) return 0;
    if (this.#codes.length < count) this.#codes = new Uint8Array(2 * count);
    if (appender.appendBatch(refs, values, count, timeMs, this.#codes) === count) return 0;
    const before = this.#duplicateTimestamp;
    for (let i = 0; i < count; i++) this.#count(this.#codes[i]!);
    return this.#duplicateTimestamp - before;
  }

  appendHistogram(
    appender: Appender,
    { ref, histogram, timestampMs, exemplars }: HistogramSample,
    timeMs: number,
  ): void {
    const ownMs = timestampMs ?? timeMs;
    const code = appender.appendHistogram(ref, ownMs, histogram);
    this.#count(code);
    if (code === appendCode.ok) this.appendExemplars(appender, ref, exemplars, ownMs);
  }

  /** Whether sample `i` of the last batch was taken. */
  isTaken(i: number): boolean {
    return this.#codes[i] === appendCode.ok;
  }

  /** Only where all of a sample are out of order they are counted: else they are a known set with some new ones. */
  appendExemplars(
    appender: Appender,
    ref: number,
    exposed: readonly ExposedExemplar[],
    timeMs: number,
  ): void {
    if (exposed.length === 0) return;
    const exemplars = exemplarsOf(exposed, timeMs);
    const late = exemplars.filter((one) => appender.appendExemplar(ref, one) === 'out of order');
    if (late.length === exemplars.length) this.#exemplarsOutOfOrder += late.length;
  }

  addTo(counters: ScrapeCounters): void {
    counters.outOfOrder += this.#outOfOrder;
    counters.duplicateTimestamp += this.#duplicateTimestamp;
    counters.outOfBounds += this.#outOfBounds;
    counters.exemplarsOutOfOrder += this.#exemplarsOutOfOrder;
  }

  #count(code: number): void {
    if (code === appendCode.outOfOrder) this.#outOfOrder++;
    else if (code === appendCode.duplicate) this.#duplicateTimestamp++;
    else if (code === appendCode.tooOld || code === appendCode.outOfBounds) this.#outOfBounds++;
    else if (code === appendCode.unknownRef) this.unknownRefs++;
  }
}
