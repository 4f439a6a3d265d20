// The native histograms of a slot merge, beside its columns of floats: what is known of resets, and what is not.
//
// A hint speaks of the sample before in the same replica, so the first one after a switch knows nothing. As for floats, a
// decrease at a switch that the new source has not seen itself is no reset: the last histogram is held until it is passed.
// Only switches look at histograms: of the others the result is where they are.

import { type FloatHistogram, wasReset } from '@flotilla/model';
import type { HistogramColumn } from '@flotilla/promql';

const NONE: HistogramColumn = [];

/** Which samples of some columns are those of the result. */
class PickedHistograms implements HistogramColumn {
  readonly #sources: readonly HistogramColumn[];
  /** Of each sample its place, times the number of sources, plus its source. */
  readonly #places: number[] = [];
  /** Those that are not as they were. */
  readonly #changed = new Map<number, FloatHistogram>();

  constructor(sources: readonly HistogramColumn[]) {
    this.#sources = sources;
  }

  get length(): number {
    return this.#places.length;
  }

  at(index: number): FloatHistogram | undefined {
    const changed = this.#changed.size === 0 ? undefined : this.#changed.get(index);
    if (changed !== undefined) return changed;
    const place = this.#places[index]!;
    const source = place % this.#sources.length;
    return this.#sources[source]!.at((place - source) / this.#sources.length);
  }

  push(source: number, cursor: number, changed?: FloatHistogram): void {
    if (changed !== undefined) this.#changed.set(this.length, changed);
    this.#places.push(cursor * this.#sources.length + source);
  }
}

export class HistogramMerge {
  readonly #sources: readonly HistogramColumn[];
  readonly #picked: PickedHistograms;
  #isFirstAfterSwitch = false;
  /** While defined: the last one before a switch, below which a counter may not fall. */
  #held: FloatHistogram | undefined;

  constructor(sources: readonly (HistogramColumn | undefined)[]) {
    this.#sources = sources.map((source) => source ?? NONE);
    this.#picked = new PickedHistograms(this.#sources);
  }

  /** Of the samples emitted so far. */
  get column(): HistogramColumn {
    return this.#picked;
  }

  /** The next sample emitted is `cursor` of another source. */
  switchTo(source: number, cursor: number): void {
    this.#isFirstAfterSwitch = true;
    this.#held = undefined;
    const now = this.#sources[source]!.at(cursor);
    const last = this.#picked.length === 0 ? undefined : this.#picked.at(this.#picked.length - 1);
    if (now === undefined || last === undefined || now.hint === 'gauge' || last.hint === 'gauge') return;
    if (this.#goesOn(now, source, cursor) && wasReset(now.withHint('unknown'), last))
      this.#held = last.withHint('not_reset');
  }

  emit(source: number, cursor: number): void {
    const isChanged = this.#isFirstAfterSwitch || this.#held !== undefined;
    const now = isChanged ? this.#sources[source]!.at(cursor) : undefined;
    this.#picked.push(source, cursor, now === undefined ? undefined : this.#shown(now, source, cursor));
    this.#isFirstAfterSwitch = false;
  }

  /** After a switch. */
  #shown(now: FloatHistogram, source: number, cursor: number): FloatHistogram {
    const held = this.#held;
    const unknown = now.hint === 'gauge' ? now : now.withHint('unknown');
    if (held !== undefined && this.#goesOn(now, source, cursor) && wasReset(unknown, held)) return held;
    this.#held = undefined;
    return unknown;
  }

  /** Whether the source itself has seen no reset between its sample before and this one. */
  #goesOn(now: FloatHistogram, source: number, cursor: number): boolean {
    if (now.hint === 'not_reset') return true;
    const before = cursor === 0 ? undefined : this.#sources[source]!.at(cursor - 1);
    return before !== undefined && !wasReset(now, before);
  }
}
