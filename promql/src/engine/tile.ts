// Hot: the samples of some series at every step of a grid, row by row.
//
// A cell holds a sample if its byte in `valid` is 1; the value of any other cell means nothing. Presence is not NaN:
// NaN is a value like any other. Tiles belong to whoever made them, and are written by whoever is handed them.

export interface Tile {
  /** rows × steps. */
  readonly values: Float64Array;
  /** rows × steps of 0 or 1. */
  readonly valid: Uint8Array;
}

/** Bytes that a cell takes. */
export const CELL_BYTES = 9;

const BATCH_CELLS = 1 << 16;
const BATCH_ROWS = 512;

export function makeTile(cells: number): Tile {
  return { values: new Float64Array(cells), valid: new Uint8Array(cells) };
}

/** How many rows to evaluate at once: enough to amortise a call, few enough to stay in the cache. */
export function batchRows(steps: number): number {
  return Math.min(BATCH_ROWS, Math.max(1, Math.floor(BATCH_CELLS / Math.max(1, steps))));
}

/** Copies whole rows. */
export function copyRows(
  from: Tile,
  fromRow: number,
  into: Tile,
  intoRow: number,
  rows: number,
  steps: number,
): void {
  const start = fromRow * steps;
  const end = start + rows * steps;
  into.values.set(from.values.subarray(start, end), intoRow * steps);
  into.valid.set(from.valid.subarray(start, end), intoRow * steps);
}

/** Whether cells [start, end) hold any sample. */
export function anyValid(valid: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (valid[i] === 1) return true;
  return false;
}
