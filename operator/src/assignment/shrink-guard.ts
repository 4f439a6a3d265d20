// Doubts a picture of the world in which most targets are suddenly gone: a selector that was edited by mistake and an API
// server that answers half of a list look the same. The old targets stay assigned until the new picture has stood for a while.

import type { ScrapePool } from '../discovery/findings.ts';

/** A shrink to less than this part of the targets is doubted. */
const partMin = 0.5;
/** Fleets with fewer targets than this shrink at once. */
const targetsMin = 20;
/** How long a doubted picture must stand. */
export const confirmMs = 30_000;

export class ShrinkGuard {
  #accepted: readonly ScrapePool[] = [];
  #acceptedCount = 0;
  #doubtedSinceMs = 0;
  #doubtedCount = 0;

  /** What is held back, in words; '' when nothing is. */
  get holding(): string {
    if (this.#doubtedSinceMs === 0) return '';
    return `${this.#doubtedCount} targets found where there were ${this.#acceptedCount}: waiting ${confirmMs / 1000} s before the others are dropped`;
  }

  /** The pools to assign: the ones given, or the last accepted ones while they are doubted. */
  check(pools: readonly ScrapePool[], nowMs: number): readonly ScrapePool[] {
    const count = pools.reduce((sum, { targets }) => sum + targets.length, 0);
    const isDoubtful = this.#acceptedCount >= targetsMin && count < this.#acceptedCount * partMin;
    if (isDoubtful && this.#doubtedSinceMs === 0) this.#doubtedSinceMs = nowMs;
    this.#doubtedCount = count;
    if (isDoubtful && nowMs - this.#doubtedSinceMs < confirmMs) return this.#accepted;
    this.#doubtedSinceMs = 0;
    this.#accepted = pools;
    this.#acceptedCount = count;
    return pools;
  }
}
