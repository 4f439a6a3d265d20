// Hot: samples of one time on their way to the appender, in arrays that grow and are reused.
//
// A NaN that was parsed becomes Prometheus's ordinary NaN, bit for bit: any other could be taken for a stale marker.

import { NORMAL_NAN_HIGH, NORMAL_NAN_LOW } from '@flotilla/model';

const normalNan = new Float64Array(new Uint32Array([NORMAL_NAN_LOW, NORMAL_NAN_HIGH]).buffer);

export class SampleBuffer {
  refs = new Uint32Array(16);
  values = new Float64Array(16);
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
    const refs = new Uint32Array(2 * this.count);
    const values = new Float64Array(2 * this.count);
    refs.set(this.refs);
    values.set(this.values); // Between arrays of one type: every bit.
    this.refs = refs;
    this.values = values;
  }
}
