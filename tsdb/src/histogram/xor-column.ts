// Hot: a column of floats in a histogram chunk, each as the difference of its bits to the one before.

import type { BitWriter } from './bit-writer.ts';

const NO_WINDOW = 0xff;

/** Trailing zeros of a 64-bit value that is not 0. */
function trailingZeros(high: number, low: number): number {
  return low !== 0 ? 31 - Math.clz32(low & -low) : 63 - Math.clz32(high & -high);
}

/** The last value's bits and the window of one column. */
export class XorColumn {
  high: number;
  low: number;
  private lead = NO_WINDOW;
  private trail = 0;

  constructor(high = 0, low = 0) {
    this.high = high >>> 0;
    this.low = low >>> 0;
  }

  write(out: BitWriter, high: number, low: number): void {
    const xorHigh = (high ^ this.high) >>> 0;
    const xorLow = (low ^ this.low) >>> 0;
    this.high = high >>> 0;
    this.low = low >>> 0;
    if (xorHigh === 0 && xorLow === 0) return out.bits(0, 1);
    const lead = Math.min(31, xorHigh === 0 ? 32 : Math.clz32(xorHigh));
    const trail = trailingZeros(xorHigh, xorLow);
    if (this.lead !== NO_WINDOW && lead >= this.lead && trail >= this.trail) {
      out.bits(0b10, 2);
    } else {
      this.lead = lead;
      this.trail = trail;
      out.bits(0b11, 2);
      out.bits(lead, 5);
      out.bits((64 - lead - trail) & 63, 6);
    }
    return this.window(out, xorHigh, xorLow);
  }

  /** The bits between the leading and the trailing zeros. */
  private window(out: BitWriter, high: number, low: number): void {
    const { lead, trail } = this;
    if (trail >= 32) {
      out.bits(high >>> (trail - 32), 64 - lead - trail); // lead ≤ 31: the rest is in the upper half.
      return;
    }
    out.bits(high, 32 - lead);
    out.bits(low >>> trail, 32 - trail);
  }
}
