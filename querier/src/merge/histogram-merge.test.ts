import { describe, expect, test } from '@jest/globals';
import { bucketsOfSpans, type CounterResetHint, FloatHistogram, isStale, writeStale } from '@flotilla/model';
import { mergeSlots } from './slot-merge.ts';
import type { Columns } from './slot-merge.ts';

const schedule = { intervalMs: 1000, phaseMs: 300 };
const stale = 'stale';
type Cell = readonly [slot: number, count: number | typeof stale, hint?: CounterResetHint];

function histogram(count: number, hint: CounterResetHint = 'not_reset'): FloatHistogram {
  const positive = bucketsOfSpans([{ offset: 0, length: 1 }], [count]);
  return new FloatHistogram({ count, sum: count, positive, hint });
}

/** A source of histograms with `count` in one bucket; the first knows nothing of resets, the rest as given. */
function source(...cells: Cell[]): Columns {
  const values = new Float64Array(cells.length).fill(NaN);
  const histograms = cells.map(([, count, hint], i) => {
    if (count !== stale) return histogram(count, i === 0 ? 'unknown' : hint);
    writeStale(values, i);
    return undefined;
  });
  return { timestampsMs: Float64Array.from(cells, ([slot]) => slot * 1000 + 300), values, histograms };
}

function floats(...cells: (readonly [number, number])[]): Columns {
  return {
    timestampsMs: Float64Array.from(cells, ([slot]) => slot * 1000 + 300),
    values: Float64Array.from(cells, ([, value]) => value),
  };
}

/** Slot, count and hint of histograms; slot and value of floats. */
function shown({ timestampsMs, values, histograms }: Columns): unknown[] {
  return Array.from(timestampsMs, (timeMs, i) => {
    const slot = (timeMs - 300) / 1000;
    if (isStale(values, i)) return [slot, stale];
    const one = histograms?.at(i);
    return one === undefined ? [slot, values[i]] : [slot, one.count, one.hint];
  });
}

describe('slots of native histograms', () => {
  function check(sources: Columns[], ...want: unknown[]): void {
    expect(shown(mergeSlots(sources, schedule, false))).toEqual(want);
  }

  test('are filled once, and what a switch hides of resets is unknown', () => {
    check(
      [source([1, 10], [3, 30]), source([1, 11], [2, 21], [3, 31])],
      [1, 10, 'unknown'],
      [2, 21, 'unknown'],
      [3, 31, 'not_reset'],
    );
    check(
      [source([1, 10], [2, 20], [3, 30]), source([1, 11], [2, 21], [3, 31])],
      [1, 10, 'unknown'],
      [2, 20, 'not_reset'],
      [3, 30, 'not_reset'],
    );
  });

  test('take a live sample before a stale marker', () => {
    check([source([1, 10], [2, stale]), source([1, 11], [2, 21])], [1, 10, 'unknown'], [2, 21, 'unknown']);
    check([source([1, 10], [2, stale]), source([1, 11])], [1, 10, 'unknown'], [2, stale]);
  });

  test('hold the last histogram at a switch until a source that has seen no reset passes it', () => {
    const behind = source([1, 8], [2, 18], [3, 19], [4, 28]);
    check(
      [source([1, 20]), behind],
      [1, 20, 'unknown'],
      [2, 20, 'not_reset'],
      [3, 20, 'not_reset'],
      [4, 28, 'unknown'],
    );
  });

  test('show a reset that the new source has seen', () => {
    check([source([1, 20]), source([1, 19], [2, 3, 'unknown'])], [1, 20, 'unknown'], [2, 3, 'unknown']);
    const reset = source([1, 18], [2, 19], [3, 2, 'unknown'], [4, 5]);
    check(
      [source([1, 20]), reset],
      [1, 20, 'unknown'],
      [2, 20, 'not_reset'],
      [3, 2, 'unknown'],
      [4, 5, 'not_reset'],
    );
  });

  test('of gauges may fall', () => {
    const gauges = source([1, 18, 'gauge'], [2, 10, 'gauge']);
    check([source([1, 20]), gauges], [1, 20, 'unknown'], [2, 10, 'gauge']);
  });

  test('and floats may take turns', () => {
    check(
      [floats([1, 1], [3, 3]), source([2, 20], [3, 30])],
      [1, 1],
      [2, 20, 'unknown'],
      [3, 30, 'not_reset'],
    );
    check(
      [source([1, 10], [2, 20]), floats([2, 2], [3, 3])],
      [1, 10, 'unknown'],
      [2, 20, 'not_reset'],
      [3, 3],
    );
  });
});
