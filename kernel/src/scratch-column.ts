// Hot: where a column of samples lies in the shared instance while a kernel looks at it, once per series of a query.

import type { KernelInstance } from './instance.ts';

/** Below this a loop is quicker than a copy by the machine. */
const FEW = 24;

export class ScratchColumn {
  at = 0;
  private readonly kernel: KernelInstance;
  private max = 0;

  constructor(kernel: KernelInstance) {
    this.kernel = kernel;
  }

  take(values: Float64Array, count: number): void {
    if (!(count <= values.length)) throw new Error(`BUG: kernel: ${values.length} values, want ${count}`);
    if (count > this.max) this.grow(count);
    const { floats } = this.kernel;
    const at = this.at >>> 3;
    if (count < FEW) for (let i = 0; i < count; i++) floats[at + i] = values[i]!;
    else floats.set(values.length === count ? values : values.subarray(0, count), at);
  }

  private grow(count: number): void {
    const { exports } = this.kernel;
    exports.free(this.at, this.max * 8);
    this.max = (exports.capacityOf(count * 8) >>> 0) / 8;
    this.at = exports.alloc(this.max * 8) >>> 0;
  }
}
