import { describe, expect, test } from '@jest/globals';
import { Labels } from '@flotilla/model';
import * as fc from 'fast-check';
import type { Exemplar } from '../api.ts';
import { ExemplarRing } from './exemplar-ring.ts';

const labelsOf = (ref: number): Labels => Labels.fromRecord({ series: `${ref}` });

function exemplar(timeMs: number, value: number, trace: string, hasTimestamp = true): Exemplar {
  return { labels: Labels.fromRecord({ trace }), value, timeMs, hasTimestamp };
}

function contents(
  ring: ExemplarRing,
  minTimeMs = -Infinity,
  maxTimeMs = Infinity,
): Record<string, Exemplar[]> {
  const out: Record<string, Exemplar[]> = {};
  for (const { ref, list } of ring.list(minTimeMs, maxTimeMs)) out[ref] = list();
  return out;
}

/** Prometheus's rules, said slowly: every exemplar in the order of arrival. */
class SlowRing {
  readonly max: number;
  readonly windowMs: number;
  all: { ref: number; exemplar: Exemplar }[] = [];

  constructor(max: number, windowMs: number) {
    this.max = max;
    this.windowMs = windowMs;
  }

  of(ref: number): Exemplar[] {
    const mine = this.all.filter((one) => one.ref === ref).map((one) => one.exemplar);
    return mine.toSorted((a, b) => a.timeMs - b.timeMs);
  }

  add(ref: number, added: Exemplar): void {
    const mine = this.of(ref);
    const newest = mine.at(-1);
    if (newest !== undefined && (isSame(added, newest) || this.isOld(added, newest))) return;
    const isLate = newest !== undefined && added.timeMs < newest.timeMs;
    if (isLate && mine.some((one) => one.timeMs === added.timeMs)) return;
    this.all.push({ ref, exemplar: added });
    if (this.all.length > this.max) this.all.shift();
  }

  isOld(added: Exemplar, newest: Exemplar): boolean {
    if (added.timeMs < newest.timeMs) return added.timeMs <= newest.timeMs - this.windowMs;
    if (added.timeMs > newest.timeMs) return false;
    if (added.value !== newest.value) return added.value < newest.value;
    return JSON.stringify(added.labels.flat) < JSON.stringify(newest.labels.flat);
  }
}

function isSame(a: Exemplar, b: Exemplar): boolean {
  const sameTime = a.timeMs === b.timeMs || !(a.hasTimestamp || b.hasTimestamp);
  return sameTime && a.value === b.value && a.labels.equals(b.labels);
}

describe('the ring of exemplars', () => {
  const step = fc.record({
    ref: fc.integer({ min: 1, max: 4 }),
    exemplar: fc.record({
      timeMs: fc.integer({ min: 0, max: 30 }),
      value: fc.integer({ min: 0, max: 2 }),
      labels: fc.constantFrom('a', 'b').map((trace) => Labels.fromRecord({ trace })),
      hasTimestamp: fc.boolean(),
    }),
    leaves: fc.boolean(),
  });

  test("has what Prometheus's rules say, in any order, with series that leave and come back", () => {
    const cases = fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom(0, 10),
      (steps, max, windowMs) => {
        const [ring, slow] = [new ExemplarRing(max, windowMs, labelsOf), new SlowRing(max, windowMs)];
        for (const { ref, exemplar: added, leaves } of steps) {
          ring.add(ref, added);
          slow.add(ref, added);
          if (leaves) ring.leave(ref);
          const refs = [...new Set(slow.all.map((one) => one.ref))];
          expect(contents(ring)).toEqual(Object.fromEntries(refs.map((each) => [each, slow.of(each)])));
          expect(ring.size).toBe(slow.all.length);
        }
      },
    );
    fc.assert(cases, { numRuns: 300 });
  });

  test('says why it does not take one', () => {
    const ring = new ExemplarRing(10, 0, labelsOf);
    const check = (added: Exemplar, want: string): void => expect(ring.check(1, added)).toBe(want);
    check(exemplar(10, 1, 'a'), 'ok');
    ring.add(1, exemplar(10, 1, 'a'));
    check(exemplar(10, 1, 'a'), 'duplicate');
    check(exemplar(11, 1, 'a'), 'ok');
    check(exemplar(9, 1, 'a'), 'out of order');
    check(exemplar(10, 0.5, 'a'), 'out of order');
    check(exemplar(10, 2, 'a'), 'ok');
    check(exemplar(11, 1, 'x'.repeat(123)), 'ok');
    check(exemplar(11, 1, 'x'.repeat(124)), 'labels too long');
    check(exemplar(11, 1, '🔍'.repeat(123)), 'ok');
    check(exemplar(11, 1, '🔍'.repeat(124)), 'labels too long');
    expect(new ExemplarRing(0, 0, labelsOf).check(1, exemplar(1, 1, 'a'))).toBe('disabled');
  });

  test('without a time of its own, one is the same in each scrape until there is another', () => {
    const ring = new ExemplarRing(10, 0, labelsOf);
    for (const timeMs of [10, 20, 30]) ring.add(1, exemplar(timeMs, 1, 'a', false));
    ring.add(1, exemplar(40, 2, 'b', false));
    ring.add(1, exemplar(50, 1, 'a', false));
    expect(contents(ring)[1]!.map(({ timeMs }) => timeMs)).toEqual([10, 40, 50]);
    expect(contents(ring, 20, 45)[1]!.map(({ timeMs }) => timeMs)).toEqual([40]);
    expect(contents(ring, 51)).toEqual({});
  });
});
