import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { firstTable, movedSlots, planTable, regionSlots } from './slot-table.ts';

const shardCounts = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 2, maxLength: 6 });

function countsOf(table: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const shard of table) counts.set(shard, (counts.get(shard) ?? 0) + 1);
  return counts;
}

describe('slot tables', () => {
  test('the first table is plain modulo', () => {
    expect(firstTable(4).slice(0, 6)).toEqual([0, 1, 2, 3, 0, 1]);
    expect(firstTable(3)).toHaveLength(1024);
  });

  test('every shard gets floor or ceil of its share, over any row of resizes', () => {
    fc.assert(
      fc.property(shardCounts, (counts) => {
        let table: readonly number[] = firstTable(counts[0]!);
        for (const shards of counts.slice(1)) {
          table = planTable(table, shards);
          const owned = countsOf(table);
          expect([...owned.keys()].toSorted((a, b) => a - b)).toEqual(
            Array.from({ length: shards }, (_, shard) => shard),
          );
          for (const count of owned.values())
            expect([Math.floor(1024 / shards), Math.ceil(1024 / shards)]).toContain(count);
        }
      }),
      { numRuns: 100, seed: 11 },
    );
  });

  test('the fewest slots move', () => {
    fc.assert(
      fc.property(shardCounts, (counts) => {
        let table: readonly number[] = firstTable(counts[0]!);
        for (const shards of counts.slice(1)) {
          const next = planTable(table, shards);
          const before = countsOf(table);
          const after = countsOf(next);
          let gained = 0;
          for (const [shard, count] of after) gained += Math.max(0, count - (before.get(shard) ?? 0));
          expect(movedSlots(table, next)).toHaveLength(gained);
          expect(planTable(table, shards)).toEqual(next);
          table = next;
        }
      }),
      { numRuns: 100, seed: 12 },
    );
  });

  test('an unchanged count moves nothing', () => {
    const table = planTable(firstTable(5), 3);
    expect(planTable(table, 3)).toEqual(table);
  });

  test('with zones every shard has slots of its own region, over any row of resizes', () => {
    fc.assert(
      fc.property(shardCounts, fc.integer({ min: 2, max: 5 }), (counts, zones) => {
        let table: readonly number[] = firstTable(counts[0]!, zones);
        for (const shards of counts.slice(1)) {
          table = planTable(table, shards, zones);
          const misplaced = table.filter((shard, slot) => {
            const zone = Math.min(Math.floor(slot / regionSlots(zones)), zones - 1);
            return shard >= shards || (shards > zone && shard % zones !== zone);
          });
          expect(misplaced).toEqual([]);
        }
      }),
      { numRuns: 50, seed: 13 },
    );
  });
});
