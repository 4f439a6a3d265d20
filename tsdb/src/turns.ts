// Hot: asked every few dozen series. Work that may wait, such as reads and cuts, in slices that what may not, such as scrapes, never notices.
//
// All such work of a thread stands in one queue: in each turn of the event loop one slice runs, of some milliseconds by the
// clock, and whatever is due (timers, sockets) comes before the next one, however much is in the queue.

/** A scrape that is due waits so long at most, besides the few items between two looks at the clock. */
const SLICE_MS = 5;

const waiting: (() => void)[] = [];
let endsMs = -Infinity;
let isScheduled = false;
let slices = 0;

/** Resolves when the caller may work, until isTurnOver(). Whoever awaited something else meanwhile must ask again. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    schedule();
  });
}

/** Whether the work that runs should await nextTurn() before it goes on. */
export function isTurnOver(): boolean {
  return performance.now() >= endsMs;
}

/** Slices that began, ever. */
export function slicesBegun(): number {
  return slices;
}

function schedule(): void {
  if (isScheduled || waiting.length === 0) return;
  isScheduled = true;
  setImmediate(run);
}

function run(): void {
  isScheduled = false;
  slices++;
  endsMs = performance.now() + SLICE_MS;
  waiting.shift()!();
  schedule();
}
