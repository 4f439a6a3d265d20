// Hot: the ends of the times that scrapes have, twice per scrape. All that last equally long share one timer and stand in the
// order in which they end, so that beginning and ending one is linking it in and out.
//
// A timer that finds nothing to do is left to run out: that is once per timeout, not once per scrape.

class Row {
  readonly timeoutMs: number;
  first: Deadline | undefined;
  last: Deadline | undefined;
  #isArmed = false;

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs;
  }

  arm(delayMs: number): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    setTimeout(() => this.#wake(), Math.max(1, delayMs)).unref();
  }

  #wake(): void {
    this.#isArmed = false;
    const nowMs = performance.now();
    for (let one = this.first; one !== undefined && one.endMs <= nowMs; one = this.first) one.expire();
    if (this.first === undefined) rows.delete(this.timeoutMs);
    else this.arm(Math.ceil(this.first.endMs - nowMs));
  }
}

const rows = new Map<number, Row>();

/** Reusable: started and cleared in turn. */
export class Deadline {
  isExpired = false;
  /** For its row. */
  endMs = 0;
  #row: Row | undefined;
  #before: Deadline | undefined;
  #after: Deadline | undefined;
  #onExpiry: (() => void) | undefined;

  /** Begins anew, with nothing to do at its end. */
  start(timeoutMs: number): void {
    this.clear();
    this.isExpired = false;
    this.endMs = performance.now() + timeoutMs;
    let row = rows.get(timeoutMs);
    if (row === undefined) rows.set(timeoutMs, (row = new Row(timeoutMs)));
    this.#row = row;
    this.#before = row.last;
    if (row.last === undefined) row.first = this;
    else row.last.#after = this;
    row.last = this;
    row.arm(timeoutMs);
  }

  /** Replaces what happens at expiry; at once if it has passed. */
  onExpiry(expire: () => void): void {
    this.#onExpiry = expire;
    if (this.isExpired) expire();
  }

  /** For its row. */
  expire(): void {
    const expire = this.#onExpiry;
    this.#unlink();
    this.isExpired = true;
    expire?.();
  }

  clear(): void {
    this.#unlink();
    this.#onExpiry = undefined;
  }

  #unlink(): void {
    const row = this.#row;
    if (row === undefined) return;
    if (this.#before === undefined) row.first = this.#after;
    else this.#before.#after = this.#after;
    if (this.#after === undefined) row.last = this.#before;
    else this.#after.#before = this.#before;
    this.#row = this.#before = this.#after = undefined;
  }
}
