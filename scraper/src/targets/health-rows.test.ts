import { expect, test } from '@jest/globals';
import { HealthRows } from './health-rows.ts';

const failed = { lastScrapeMs: 1000, up: false, lastDurationMs: 2.5, samples: 0, error: 'EOF' };
const succeeded = { lastScrapeMs: 2000, up: true, lastDurationMs: 1.5, samples: 7, error: '' };

test('tells of each target what was noted last, and how often it succeeded', () => {
  const rows = new HealthRows();
  const row = rows.take(4_000_000_000);
  const fresh = {
    id: 4_000_000_000,
    lastScrapeMs: 0,
    scrapes: 0,
    up: false,
    lastDurationMs: 0,
    samples: 0,
    error: '',
  };
  expect(rows.all()).toEqual([fresh]);
  rows.note(row, failed);
  expect(rows.read(row)).toEqual({ ...failed, id: 4_000_000_000, scrapes: 0 });
  rows.note(row, succeeded);
  rows.note(row, succeeded);
  expect(rows.all()).toEqual([{ ...succeeded, id: 4_000_000_000, scrapes: 2 }]);
});

test('uses the rows of targets that are gone again, and grows', () => {
  const rows = new HealthRows();
  const taken = Array.from({ length: 100 }, (_, id) => rows.take(id));
  for (const row of taken) rows.note(row, failed);
  for (const row of taken.slice(10, 90)) rows.release(row);
  expect(rows.all().map(({ id }) => id)).toEqual([
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99,
  ]);
  const again = rows.take(1000);
  expect(taken.slice(10, 90)).toContain(again);
  expect(rows.read(again)).toMatchObject({ id: 1000, lastScrapeMs: 0, error: '' });
  expect(rows.all()).toHaveLength(21);
  const written: number[] = [];
  rows.writeTo({ target: ({ id }) => written.push(id) });
  expect(written).toEqual(rows.all().map(({ id }) => id));
});
