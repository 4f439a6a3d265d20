// Hot: which series the last successful scrape of a target had, to know which of them end with this one.
//
// Cost: 4 bytes a series. A scrape with the same lines as the one before does not come here.

const NONE: Uint32Array = new Uint32Array(0);

export class PresentSeries {
  /** Refs whose end deserves a stale marker. */
  tracked: Uint32Array = NONE;
  /** Refs of lines with a timestamp of their own, which end without a marker. */
  untracked: Uint32Array = NONE;
  #members: Set<number> | undefined;

  /** Whether the last successful scrape had `ref`. */
  has(ref: number): boolean {
    this.#members ??= new Set([...this.tracked, ...this.untracked]);
    return this.#members.has(ref);
  }

  /** Those in `tracked` that are not in `next`. */
  endedBy(next: Uint32Array): Uint32Array {
    const kept = new Set(next);
    return this.tracked.filter((ref) => !kept.has(ref));
  }

  replace(tracked: Uint32Array, untracked: Uint32Array): void {
    this.tracked = tracked;
    this.untracked = untracked;
    this.#members = undefined;
  }

  clear(): void {
    this.replace(NONE, NONE);
  }
}
