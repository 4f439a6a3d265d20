import { describe, expect, test } from '@jest/globals';
import { isStale, writeStale } from '@flotilla/model';
import * as fc from 'fast-check';
import { mergeSlots } from './slot-merge.ts';
import type { Columns } from './slot-merge.ts';

const schedule = { intervalMs: 1000, phaseMs: 300 };
const stale = 'stale';

/** A source from [slot, value] pairs, `lateMs` after the slot's time. */
function source(samples: readonly (readonly [number, number | typeof stale])[], lateMs = 0): Columns {
  const timestampsMs = Float64Array.from(samples, ([slot]) => slot * 1000 + schedule.phaseMs + lateMs);
  const values = new Float64Array(samples.length);
  samples.forEach(([, value], index) =>
    value === stale ? writeStale(values, index) : (values[index] = value),
  );
  return { timestampsMs, values };
}

function slotsOf({ timestampsMs, values }: Columns): (readonly [number, number | typeof stale])[] {
  return Array.from(timestampsMs, (timeMs, index) => {
    const slot = Math.floor((timeMs - schedule.phaseMs) / schedule.intervalMs);
    return [slot, isStale(values, index) ? stale : values[index]!] as const;
  });
}

describe('mergeSlots', () => {
  function check(
    sources: Columns[],
    want: (readonly [number, number | typeof stale])[],
    isCounter = false,
  ): void {
    expect(slotsOf(mergeSlots(sources, schedule, isCounter))).toEqual(want);
  }

  test('fills a slot that either has, once', () => {
    check(
      [
        source([
          [1, 10],
          [3, 30],
        ]),
        source([
          [1, 11],
          [2, 21],
          [3, 31],
        ]),
      ],
      [
        [1, 10],
        [2, 21],
        [3, 31],
      ],
    );
    check([source([]), source([[5, 1]])], [[5, 1]]);
    check([source([]), source([])], []);
  });

  test('stays with a source until that one misses a slot', () => {
    const a = source([
      [1, 1],
      [2, 1],
      [4, 1],
      [5, 1],
    ]);
    const b = source([
      [1, 2],
      [2, 2],
      [3, 2],
      [4, 2],
      [5, 2],
    ]);
    check(
      [a, b],
      [
        [1, 1],
        [2, 1],
        [3, 2],
        [4, 2],
        [5, 2],
      ],
    );
  });

  test('takes a live sample before a stale marker, and a stale marker before nothing', () => {
    check(
      [
        source([
          [1, 1],
          [2, stale],
        ]),
        source([
          [1, 2],
          [2, 3],
        ]),
      ],
      [
        [1, 1],
        [2, 3],
      ],
    );
    check(
      [
        source([
          [1, 1],
          [2, stale],
        ]),
        source([
          [1, 2],
          [2, stale],
        ]),
      ],
      [
        [1, 1],
        [2, stale],
      ],
    );
    check(
      [source([[1, 1]]), source([[2, stale]])],
      [
        [1, 1],
        [2, stale],
      ],
    );
  });

  test('counts a late sample to its slot', () => {
    check(
      [
        source(
          [
            [1, 1],
            [2, 2],
          ],
          600,
        ),
        source([
          [1, 1],
          [2, 2],
          [3, 3],
        ]),
      ],
      [
        [1, 1],
        [2, 2],
        [3, 3],
      ],
    );
  });

  test('does not take a small decrease of a counter at a switch for a reset', () => {
    const behind = source([
      [1, 9],
      [2, 19],
      [3, 29],
      [4, 39],
    ]);
    check(
      [
        source([
          [1, 10],
          [2, 20.5],
        ]),
        behind,
      ],
      [
        [1, 10],
        [2, 20.5],
        [3, 29],
        [4, 39],
      ],
      true,
    );
    check(
      [
        source([
          [1, 10],
          [2, 30],
        ]),
        behind,
      ],
      [
        [1, 10],
        [2, 30],
        [3, 30],
        [4, 39],
      ],
      true,
    );
    check(
      [
        source([
          [1, 10],
          [2, 30],
        ]),
        behind,
      ],
      [
        [1, 10],
        [2, 30],
        [3, 29],
        [4, 39],
      ],
      false,
    );
  });

  test('keeps a reset that the new source has seen', () => {
    check(
      [
        source([
          [1, 10],
          [2, 30],
        ]),
        source([
          [1, 10],
          [2, 30],
          [3, 1],
          [4, 2],
        ]),
      ],
      [
        [1, 10],
        [2, 30],
        [3, 1],
        [4, 2],
      ],
      true,
    );
  });

  test('merges by timestamp when the interval is unknown', () => {
    const merged = mergeSlots(
      [
        source([
          [1, 1],
          [3, 3],
        ]),
        source([
          [2, 2],
          [3, 4],
        ]),
      ],
      { intervalMs: 0, phaseMs: 0 },
      false,
    );
    expect([...merged.values]).toEqual([1, 2, 4]);
  });

  test('is the union of the slots for any loss, in order, with values of one source each', () => {
    const slots = fc
      .uniqueArray(fc.integer({ min: 0, max: 60 }))
      .map((list) => list.toSorted((a, b) => a - b));
    fc.assert(
      fc.property(slots, slots, slots, (a, b, c) => {
        const made = [a, b, c].map((list, index) =>
          source(
            list.map((slot) => [slot, index] as const),
            index * 120,
          ),
        );
        const merged = slotsOf(mergeSlots(made, schedule, false));
        expect(merged.map(([slot]) => slot)).toEqual(
          [...new Set([...a, ...b, ...c])].toSorted((x, y) => x - y),
        );
        for (const [slot, value] of merged) expect([a, b, c][value as number]).toContain(slot);
      }),
      { seed: 31 },
    );
  });

  test('gives every slot and an exact rate of a perfect counter at 5 % independent loss', () => {
    let state = 42;
    const random = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
    const replica = (): Columns =>
      source(Array.from({ length: 2000 }, (_, slot) => [slot, slot] as const).filter(() => random() > 0.05));
    const [a, b] = [replica(), replica()];
    const merged = slotsOf(mergeSlots([a, b], schedule, true));
    const union = new Set([...slotsOf(a), ...slotsOf(b)].map(([slot]) => slot));
    expect(merged).toHaveLength(union.size);
    for (const [slot, value] of merged) expect(value).toBe(slot);
    expect(union.size).toBeGreaterThan(1990);
  });
});
