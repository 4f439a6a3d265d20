// Hot: what neighbouring histograms of a series say of each other, found once per series: each pair of them lies in
// several windows.

import { type FloatHistogram, wasReset } from '@flotilla/model';

export class Neighbours {
  private list: readonly FloatHistogram[] = [];
  private isKnown = false;
  /** For each histogram the last one up to it that breaks the series, -1 for none. */
  private lastBreaks = new Int32Array(0);

  /** Points it at the histograms of a series. */
  reset(list: readonly FloatHistogram[]): void {
    this.list = list;
    this.isKnown = false;
  }

  /** Whether histograms [first, last] are of one counter in one schema, which was not reset in between. */
  areSteady(first: number, last: number): boolean {
    if (!this.isKnown) this.find();
    return this.lastBreaks[last]! <= first && this.list[first]!.hint !== 'gauge';
  }

  private find(): void {
    const { list } = this;
    if (this.lastBreaks.length < list.length) this.lastBreaks = new Int32Array(2 * list.length);
    let last = -1;
    for (let i = 1; i < list.length; i++) {
      if (breaks(list[i]!, list[i - 1]!)) last = i;
      this.lastBreaks[i] = last;
    }
    this.isKnown = true;
  }
}

function breaks(now: FloatHistogram, before: FloatHistogram): boolean {
  return now.hint === 'gauge' || now.schema !== before.schema || wasReset(now, before);
}
