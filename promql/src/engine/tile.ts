// Hot: the samples of some series at every step of a grid, row by row.
//
// `valid` says what a cell holds: nothing, a float in `values`, or a native histogram in `histograms`. Presence is not
// NaN: NaN is a value like any other. Tiles belong to whoever made them, and are written by whoever is handed them.
// While `histograms` is undefined no cell holds one, so loops over floats need not ask.

import { type FloatHistogram, freeMemory } from '@flotilla/model';

export const NOTHING = 0;
export const FLOAT = 1;
export const HISTOGRAM = 2;

export interface Tile {
  /** rows × steps. */
  readonly values: Float64Array;
  /** rows × steps of NOTHING, FLOAT or HISTOGRAM. */
  readonly valid: Uint8Array;
  /** By cell; made by the first setHistogram(). What is at a cell that is no HISTOGRAM means nothing. */
  histograms: (FloatHistogram | undefined)[] | undefined;
}

/** Bytes that a cell takes. */
export const CELL_BYTES = 9;

const BATCH_CELLS = 1 << 16;
/** Where cells hold histograms: what a batch leaves is then gone before the collector would copy it. */
const HISTOGRAM_BATCH_CELLS = 1 << 8;
const BATCH_ROWS = 512;

export function makeTile(cells: number): Tile {
  return { values: new Float64Array(cells), valid: new Uint8Array(cells), histograms: undefined };
}

interface Spare {
  readonly values: Float64Array<ArrayBuffer>;
  readonly valid: Uint8Array<ArrayBuffer>;
}

const SPARES_MAX = 4;
/** Memory of tiles that were lent: as garbage it would have the collector look for more of it. */
const spares: Spare[] = [];

/** A tile for batches, with anything in its cells. */
export function lendTile(cells: number): Tile {
  if (cells > BATCH_CELLS) return makeTile(cells);
  const spare = spares.pop() ?? makeSpare();
  return {
    values: spare.values.subarray(0, cells),
    valid: spare.valid.subarray(0, cells),
    histograms: undefined,
  };
}

function makeSpare(): Spare {
  return { values: new Float64Array(BATCH_CELLS), valid: new Uint8Array(BATCH_CELLS) };
}

/** Ends a tile that was made. Whoever still reads it must be done. */
export function freeTile({ values, valid }: Tile): void {
  freeMemory(values);
  freeMemory(valid);
}

/** Takes a lent tile back. Whoever still reads it must be done. */
export function returnTile(tile: Tile): void {
  const { values, valid } = tile;
  if (values.buffer.byteLength !== 8 * BATCH_CELLS || spares.length >= SPARES_MAX) {
    freeTile(tile);
    return;
  }
  spares.push({
    values: new Float64Array(values.buffer as ArrayBuffer),
    valid: new Uint8Array(valid.buffer as ArrayBuffer),
  });
}

export function setHistogram(tile: Tile, cell: number, histogram: FloatHistogram): void {
  tile.histograms ??= Array.from<FloatHistogram | undefined>({ length: tile.values.length });
  tile.histograms[cell] = histogram;
  tile.valid[cell] = HISTOGRAM;
}

/** The histogram in a cell, undefined if it holds none. */
export function histogramAt(tile: Tile, cell: number): FloatHistogram | undefined {
  return tile.valid[cell] === HISTOGRAM ? tile.histograms![cell] : undefined;
}

/** Makes a cell hold what another one does. */
export function copyCell(from: Tile, fromCell: number, into: Tile, cell: number): void {
  const histogram = histogramAt(from, fromCell);
  into.values[cell] = from.values[fromCell]!;
  into.valid[cell] = from.valid[fromCell]!;
  if (histogram !== undefined) setHistogram(into, cell, histogram);
}

/** Takes the histograms out of some cells. */
export function dropHistograms(tile: Tile, start: number, end: number): void {
  if (tile.histograms === undefined) return;
  for (let cell = start; cell < end; cell++) if (tile.valid[cell] === HISTOGRAM) tile.valid[cell] = NOTHING;
}

/** How many rows to evaluate at once: enough to amortise a call, few enough to stay in the cache. */
export function batchRows(steps: number, mayBeHistograms: boolean): number {
  const cells = mayBeHistograms ? HISTOGRAM_BATCH_CELLS : BATCH_CELLS;
  return Math.min(BATCH_ROWS, Math.max(1, Math.floor(cells / Math.max(1, steps))));
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
  if (from.histograms === undefined) return;
  const moved = intoRow * steps - start;
  for (let cell = start; cell < end; cell++) {
    const histogram = histogramAt(from, cell);
    if (histogram !== undefined) setHistogram(into, cell + moved, histogram);
  }
}

/** Whether cells [start, end) hold any sample. */
export function anyValid(valid: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (valid[i] !== NOTHING) return true;
  return false;
}

/** Whether cells [start, end) hold any float. */
export function anyFloat(valid: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (valid[i] === FLOAT) return true;
  return false;
}
