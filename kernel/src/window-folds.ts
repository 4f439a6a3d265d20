// Hot: what each window of a series comes to, once per series that a query folds over time.
//
// Column and results are copied into the kernel's memory and out of it. The windows are entered once for all series that
// share them. Nothing of a column or of windows is trusted: a bound that is outside the column is refused.

import { type KernelInstance, sharedInstance } from './instance.ts';
import { ScratchColumn } from './scratch-column.ts';

export interface FoldWindows {
  /** Changes when anything else does; no other windows ever have the same. */
  readonly generation: number;
  readonly steps: number;
  /** Window k is samples [lo[k], hi[k]). */
  readonly lo: Int32Array;
  readonly hi: Int32Array;
}

/** Writes the value of each window to `out` from `at` on; where a window is empty, anything. */
export type WindowFold = (
  windows: FoldWindows,
  values: Float64Array,
  count: number,
  out: Float64Array,
  at: number,
) => void;

/** Below this a loop is quicker than a copy by the machine. */
const FEW = 24;

class Scratch {
  readonly kernel: KernelInstance = sharedInstance();
  readonly column = new ScratchColumn(this.kernel);
  tableAt = 0;
  outAt = 0;
  /** For what a kernel notes of each sample. */
  notesAt = 0;
  private readonly head = this.kernel.exports.WINDOWS_HEAD.value;
  private readonly group = this.kernel.exports.WINDOWS_GROUP.value;
  private notesBytes = 0;
  private windowsMax = 0;
  /** Of the windows whose table is there, which are not kept themselves: they may hold a whole column. */
  private generation = NaN;
  private steps = 0;
  /** The largest of all bounds in the table. */
  private highest = 0;
  private results: Float64Array = new Float64Array(0);

  enter(windows: FoldWindows, values: Float64Array, count: number): void {
    const isEntered = this.generation === windows.generation && this.steps === windows.steps;
    if (!isEntered) this.fill(windows);
    if (!(this.highest <= count))
      throw new Error(`BUG: kernel: a window ends at ${this.highest} of ${count} samples`);
    this.column.take(values, count);
  }

  private fill(windows: FoldWindows): void {
    const { steps, lo, hi } = windows;
    const most = Math.min(lo.length, hi.length);
    if (!(steps >= 0 && steps <= most)) throw new Error(`BUG: kernel: ${most} windows, want ${steps}`);
    this.generation = NaN;
    const padded = Math.ceil(steps / this.group) * this.group;
    if (padded > this.windowsMax) this.reserveWindows(padded);
    const { words } = this.kernel;
    const loAt = (this.tableAt + this.head) >>> 2;
    if (steps < FEW) {
      for (let k = 0; k < steps; k++) {
        words[loAt + k] = lo[k]!;
        words[loAt + padded + k] = hi[k]!;
      }
    } else {
      words.set(lo.length === steps ? lo : lo.subarray(0, steps), loAt);
      words.set(hi.length === steps ? hi : hi.subarray(0, steps), loAt + padded);
    }
    this.highest = this.kernel.exports.enterWindows(this.tableAt, steps) >>> 0;
    this.generation = windows.generation;
    this.steps = steps;
  }

  private reserveWindows(padded: number): void {
    const { exports } = this.kernel;
    exports.free(this.tableAt, this.head + this.windowsMax * 8);
    exports.free(this.outAt, this.windowsMax * 8);
    this.windowsMax = 2 * padded;
    this.tableAt = exports.alloc(this.head + this.windowsMax * 8) >>> 0;
    this.outAt = exports.alloc(this.windowsMax * 8) >>> 0;
  }

  reserveNotes(bytes: number): void {
    if (bytes <= this.notesBytes) return;
    const { exports } = this.kernel;
    exports.free(this.notesAt, this.notesBytes);
    this.notesBytes = exports.capacityOf(bytes) >>> 0;
    this.notesAt = exports.alloc(this.notesBytes) >>> 0;
  }

  give(steps: number, out: Float64Array, at: number): void {
    if (!(at >= 0 && at + steps <= out.length))
      throw new Error(`BUG: kernel: room for ${out.length - at} windows, want ${steps}`);
    const { floats } = this.kernel;
    const from = this.outAt >>> 3;
    if (steps < FEW) {
      for (let k = 0; k < steps; k++) out[at + k] = floats[from + k]!;
      return;
    }
    if (this.results.length !== steps || this.results.byteOffset !== this.outAt)
      this.results = floats.subarray(from, from + steps);
    out.set(this.results, at);
  }
}

let shared: Scratch | undefined;

type Compute = (scratch: Scratch, count: number) => void;

/** A fold that notes so many bytes of each sample and of two more. */
function fold(compute: Compute, noteBytes = 0): WindowFold {
  return (windows, values, count, out, at) => {
    const scratch = (shared ??= new Scratch());
    scratch.enter(windows, values, count);
    if (noteBytes > 0) scratch.reserveNotes(noteBytes * (count + 2));
    compute(scratch, count);
    scratch.give(windows.steps, out, at);
  };
}

const SUM_BYTES = 16;
const COUNT_BYTES = 4;

function extremes(isMax: number): WindowFold {
  return fold(({ kernel, tableAt, column, outAt }, count) =>
    kernel.exports.windowExtremes(tableAt, column.at, count, isMax, outAt),
  );
}

function variances(isDeviation: number): WindowFold {
  return fold(({ kernel, tableAt, column, outAt }) =>
    kernel.exports.windowVariances(tableAt, column.at, isDeviation, outAt),
  );
}

/** As Prometheus's …_over_time functions of floats without stale markers, with the same bits. */
export const windowFolds = {
  sum: fold(
    ({ kernel, tableAt, column, notesAt, outAt }, count) =>
      kernel.exports.windowSums(tableAt, column.at, count, notesAt, outAt),
    SUM_BYTES,
  ),
  average: fold(
    ({ kernel, tableAt, column, notesAt, outAt }, count) =>
      kernel.exports.windowAverages(tableAt, column.at, count, notesAt, outAt),
    SUM_BYTES,
  ),
  variance: variances(0),
  deviation: variances(1),
  maximum: extremes(1),
  minimum: extremes(0),
  /** A NaN after a NaN is no change. */
  changes: fold(
    ({ kernel, tableAt, column, notesAt, outAt }, count) =>
      kernel.exports.windowChanges(tableAt, column.at, count, notesAt, outAt),
    COUNT_BYTES,
  ),
  resets: fold(
    ({ kernel, tableAt, column, notesAt, outAt }, count) =>
      kernel.exports.windowResets(tableAt, column.at, count, notesAt, outAt),
    COUNT_BYTES,
  ),
} satisfies Record<string, WindowFold>;
