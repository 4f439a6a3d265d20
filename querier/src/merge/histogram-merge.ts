// The native histograms of a slot merge, beside its columns of floats: what is known of resets, and what is not.
//
// A hint speaks of the sample before in the same replica, so the first one after a switch knows nothing. As for floats, a
// decrease at a switch that the new source has not seen itself is no reset: the last histogram is held until it is passed.

import { type FloatHistogram, wasReset } from '@flotilla/model';

export type HistogramColumn = readonly (FloatHistogram | undefined)[];

const NONE: HistogramColumn = [];

export class HistogramMerge {
  /** Of the samples emitted so far. */
  readonly column: (FloatHistogram | undefined)[] = [];
  readonly #sources: readonly HistogramColumn[];
  #isFirstAfterSwitch = false;
  /** While defined: the last one before a switch, below which a counter may not fall. */
  #held: FloatHistogram | undefined;

  constructor(sources: readonly (HistogramColumn | undefined)[]) {
    this.#sources = sources.map((source) => source ?? NONE);
  }

  /** The next sample emitted is `cursor` of another source. */
  switchTo(source: number, cursor: number): void {
    this.#isFirstAfterSwitch = true;
    this.#held = undefined;
    const now = this.#sources[source]![cursor];
    const last = this.column.at(-1);
    if (now === undefined || last === undefined || now.hint === 'gauge' || last.hint === 'gauge') return;
    if (this.#goesOn(source, cursor) && wasReset(now.withHint('unknown'), last))
      this.#held = last.withHint('not_reset');
  }

  emit(source: number, cursor: number): void {
    const now = this.#sources[source]![cursor];
    this.column.push(now === undefined ? undefined : this.#shown(now, source, cursor));
    this.#isFirstAfterSwitch = false;
  }

  #shown(now: FloatHistogram, source: number, cursor: number): FloatHistogram {
    const unknown = now.hint === 'gauge' ? now : now.withHint('unknown');
    const held = this.#held;
    if (held === undefined) return this.#isFirstAfterSwitch ? unknown : now;
    if (this.#goesOn(source, cursor) && wasReset(unknown, held)) return held;
    this.#held = undefined;
    return unknown;
  }

  /** Whether the source itself has seen no reset between its sample before and this one. */
  #goesOn(source: number, cursor: number): boolean {
    const [before, now] = [this.#sources[source]![cursor - 1], this.#sources[source]![cursor]!];
    return now.hint === 'not_reset' || (before !== undefined && !wasReset(now, before));
  }
}
