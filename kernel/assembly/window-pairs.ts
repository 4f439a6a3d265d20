// Hot: how often samples of a window differ from, or are below, the one before them.
//
// One pass counts over the whole column; a window's count is a difference of two of those.

import { hiOf, loOf, paddedOf } from './window-table';

/** A NaN after a NaN is no change. `counts`: room for 4 bytes for each sample and two more. */
export function windowChanges(table: usize, values: usize, count: u32, counts: usize, out: usize): void {
  const end = values + (<usize>count << 3);
  let before = count > 0 ? load<f64>(values) : 0;
  let until: u32 = 0;
  let to = counts + 8;
  store<u64>(counts, 0);
  for (let at = values + 8; at < end; at += 8, to += 4) {
    const now = load<f64>(at);
    until += <u32>(now != before) & (<u32>(now == now) | <u32>(before == before));
    store<u32>(to, until);
    before = now;
  }
  subtract(table, counts, out);
}

/** As windowChanges(). */
export function windowResets(table: usize, values: usize, count: u32, counts: usize, out: usize): void {
  const end = values + (<usize>count << 3);
  let before = count > 0 ? load<f64>(values) : 0;
  let until: u32 = 0;
  let to = counts + 8;
  store<u64>(counts, 0);
  for (let at = values + 8; at < end; at += 8, to += 4) {
    const now = load<f64>(at);
    until += <u32>(now < before);
    store<u32>(to, until);
    before = now;
  }
  subtract(table, counts, out);
}

function subtract(table: usize, counts: usize, out: usize): void {
  const n = paddedOf(table) << 2;
  const lo = loOf(table), hi = hiOf(table);
  for (let i: usize = 0; i < n; i += 4) {
    const from = load<u32>(counts + (<usize>load<u32>(lo + i) << 2) + 4);
    const to = load<u32>(counts + (<usize>load<u32>(hi + i) << 2));
    store<f64>(out + (i << 1), <f64>(to - from));
  }
}
