// The resize over all phases, with crashes (each state goes through JSON), changed minds and late heartbeats.

import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  activeTable,
  firstState,
  nextTable,
  ownersOf,
  pruneEpochs,
  shardsToRun,
  stepResize,
} from './resize.ts';
import type { Observed, TopologyState } from './resize.ts';

const intervalMaxMs = 1000;

function observed(desiredShards: number, ready = true, confirmed = true): Observed {
  return {
    desiredShards,
    isReady: () => ready,
    unconfirmed: () => (confirmed ? [] : ['http://a on shard 2 replica 1']),
    intervalMaxMs,
    readersBehind: [],
    zones: 1,
  };
}

function afterCrash(state: TopologyState): TopologyState {
  return JSON.parse(JSON.stringify(state)) as TopologyState;
}

describe('a resize', () => {
  test('goes through its phases, waits where it must, and ends with the old owner out', () => {
    let state = firstState(2, 0);
    const step = (input: Observed, nowMs: number): string => {
      const { state: next, waitingFor } = stepResize(afterCrash(state), input, nowMs);
      state = next;
      return `${next.phase}${waitingFor === '' ? '' : `: ${waitingFor}`}`;
    };
    expect(step(observed(2), 0)).toBe('stable');
    expect(step(observed(3), 1000)).toBe('starting');
    expect(shardsToRun(state)).toEqual([0, 1, 2]);
    expect(step(observed(3, false), 1500)).toBe('starting: all replicas of shard 2 to be ready');
    expect(step(observed(3), 2000)).toBe('adding');
    expect(step(observed(3, true, false), 3000)).toContain('adding: new owners to scrape');
    expect(step(observed(3), 4321)).toBe('switching');
    expect(state.epochs.at(-1)).toMatchObject({ id: 2, sinceMs: 7000, shards: 3 });
    expect(step(observed(3), 7999)).toContain('switching');
    expect(step(observed(3), 8000)).toBe('stable');
    expect(activeTable(state)).toEqual(state.epochs.at(-1)!.table);
  });

  test('that is called off before the switch leaves everything as it was', () => {
    const start = firstState(2, 0);
    const adding = stepResize(stepResize(start, observed(3), 1).state, observed(3), 2).state;
    expect(adding.phase).toBe('adding');
    const back = stepResize(adding, observed(2), 3).state;
    expect([back.phase, back.epochs]).toEqual(['stable', start.epochs]);
  });

  test('never leaves a slot without an owner that is confirmed, whatever happens in which order', () => {
    const event = fc.record({
      desired: fc.integer({ min: 1, max: 6 }),
      ready: fc.boolean(),
      confirmed: fc.boolean(),
      afterMs: fc.integer({ min: 0, max: 3000 }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let state = firstState(2, 0);
        let nowMs = 0;
        // The owners whose scrapes of a slot are known to work.
        let confirmed = state.epochs[0]!.table.map((shard) => new Set([shard]));
        for (const { desired, ready, confirmed: isConfirmed, afterMs } of events) {
          nowMs += afterMs;
          if (state.phase === 'adding' && isConfirmed)
            nextTable(state).forEach((shard, slot) => confirmed[slot]!.add(shard));
          state = stepResize(afterCrash(state), observed(desired, ready, isConfirmed), nowMs).state;
          const owners = Array.from({ length: 1024 }, (_, slot) => ownersOf(state, slot));
          confirmed = confirmed.map(
            (known, slot) => new Set([...known].filter((shard) => owners[slot]!.includes(shard))),
          );
          expect(confirmed.every(({ size }) => size > 0)).toBe(true);
        }
      }),
      { numRuns: 60, seed: 21 },
    );
  });
});

test('epochs go when retention has passed since the next one began', () => {
  const [a, b] = [firstState(2, 0), firstState(3, 5000)];
  const state = { ...a, epochs: [a.epochs[0]!, { ...b.epochs[0]!, id: 2 }] };
  expect(pruneEpochs(state, 4999)).toBe(state);
  expect(pruneEpochs(state, 5000).epochs.map(({ id }) => id)).toEqual([2]);
});
