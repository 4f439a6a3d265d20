// Hot: rates of all windows of a series, once per series that a query rates.

import { type KernelInstance, sharedInstance } from './instance.ts';
import { ScratchColumn } from './scratch-column.ts';

/** What extrapolation knows of windows without their values, by step; all series with the same times share it. */
export interface WindowEdges {
  /** Changes when anything else does. */
  readonly generation: number;
  readonly steps: number;
  /** Window k is samples [lo[k], hi[k]). */
  readonly lo: Int32Array;
  readonly hi: Int32Array;
  /** 1 for windows of two samples or more: the others get no value. */
  readonly enough: Uint8Array;
  /** Seconds from the first to the last sample, and to extrapolate to both ends. */
  readonly sampled: Float64Array;
  readonly toStart: Float64Array;
  readonly toEnd: Float64Array;
  /** What the difference is to be multiplied with where zero is not near. */
  readonly far: Float64Array;
  /** Seconds that a rate is over; 1 for a difference. */
  readonly unit: number;
}

class Scratch {
  private readonly kernel: KernelInstance = sharedInstance();
  readonly column = new ScratchColumn(this.kernel);
  private tableAt = 0;
  private outAt = 0;
  private windowsMax = 0;
  /** Whose table is there. */
  private owner: WindowEdges | undefined;
  private generation = 0;
  /** Of windows, an even number. */
  private windows = 0;
  private results: Float64Array = new Float64Array(0);

  enter(edges: WindowEdges): void {
    if (this.owner !== edges || this.generation !== edges.generation) this.load(edges);
  }

  private load(edges: WindowEdges): void {
    this.reserveWindows(edges.steps);
    const n = this.windows;
    const { words, floats } = this.kernel;
    const [firstsAt, lastsAt] = [this.tableAt >>> 2, (this.tableAt >>> 2) + n];
    const floatsAt = (this.tableAt >>> 3) + n;
    for (let step = 0; step < edges.steps; step++) {
      const isEnough = edges.enough[step] === 1;
      words[firstsAt + step] = isEnough ? 8 * edges.lo[step]! : 0;
      words[lastsAt + step] = isEnough ? 8 * (edges.hi[step]! - 1) : 0;
    }
    if (n > edges.steps) words[firstsAt + n - 1] = words[lastsAt + n - 1] = 0;
    [edges.sampled, edges.toStart, edges.toEnd, edges.far].forEach((column, i) => {
      floats.set(column.subarray(0, edges.steps), floatsAt + i * n);
      if (n > edges.steps) floats[floatsAt + i * n + n - 1] = 0;
    });
    this.owner = edges;
    this.generation = edges.generation;
  }

  private reserveWindows(steps: number): void {
    const { exports } = this.kernel;
    const tableBytes = exports.WINDOW_BYTES.value;
    this.windows = steps + (steps & 1);
    if (this.windows <= this.windowsMax) return;
    exports.free(this.tableAt, this.windowsMax * tableBytes);
    exports.free(this.outAt, this.windowsMax * 8);
    this.windowsMax = 2 * this.windows;
    this.tableAt = exports.alloc(this.windowsMax * tableBytes) >>> 0;
    this.outAt = exports.alloc(this.windowsMax * 8) >>> 0;
  }

  hasReset(count: number): boolean {
    return this.kernel.exports.hasReset(this.column.at, count) !== 0;
  }

  write(edges: WindowEdges, isCounter: boolean, out: Float64Array, at: number): void {
    const { tableAt, windows, column, outAt } = this;
    this.kernel.exports.windowRates(tableAt, windows, column.at, edges.unit, isCounter ? 1 : 0, outAt);
    if (this.results.length !== edges.steps || this.results.byteOffset !== outAt)
      this.results = this.kernel.floats.subarray(outAt >>> 3, (outAt >>> 3) + edges.steps);
    out.set(this.results, at);
  }
}

let scratch: Scratch | undefined;

/**
 * Writes the difference of each window's last and first sample, extrapolated as Prometheus's extrapolatedRate does, to `out` from `at`
 * on; where a window has not enough samples, anything. A counter that was reset is left to the caller: false, and nothing is written.
 */
export function windowRates(
  edges: WindowEdges,
  values: Float64Array,
  count: number,
  isCounter: boolean,
  out: Float64Array,
  at: number,
): boolean {
  scratch ??= new Scratch();
  scratch.column.take(values, count);
  if (isCounter && scratch.hasReset(count)) return false;
  scratch.enter(edges);
  scratch.write(edges, isCounter, out, at);
  return true;
}
