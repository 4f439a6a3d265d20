// Hot: samples of one time on their way to the appender, in arrays that grow and are reused.
//
// A NaN that was parsed becomes Prometheus's ordinary NaN, bit for bit: any other could be taken for a stale marker.

import { NORMAL_NAN_HIGH, NORMAL_NAN_LOW } from '@flotilla/model';

const normalNan = new Float64Array(new Uint32Array([NORMAL_NAN_LOW, NORMAL_NAN_HIGH]).buffer);

const noRefs = new Uint32Array(0);
const noValues = new Float64Array(0);

export class SampleBuffer {
  /** Shared while it is empty: most scrapes need none, and memory outside of the heap makes V8 collect the heap. */
  refs = noRefs;
  values = noValues;
  count = 0;

  clear(): void {
    this.count = 0;
  }

  push(ref: number, value: number): void {
    if (this.count === this.refs.length) this.#grow();
    this.refs[this.count] = ref;
    if (value === value) this.values[this.count] = value;
    else this.values.set(normalNan, this.count);
    this.count++;
  }

  #grow(): void {
    const capacity = Math.max(16, 2 * this.count);
    const refs = new Uint32Array(capacity);
    const values = new Float64Array(capacity);
    refs.set(this.refs);
    values.set(this.values); // Between arrays of one type: every bit.
    this.refs = refs;
    this.values = values;
  }
}
