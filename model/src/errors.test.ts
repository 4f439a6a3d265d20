import { expect, test } from '@jest/globals';
import { assert, BadRequest, CorruptionError, Unavailable } from './errors.ts';

test('errors carry their kind, place and cause', () => {
  const cause = new Error('checksum 1, want 2');
  const damage = new CorruptionError('wal/00000001', 19, cause.message, { cause });
  expect(damage.message).toBe('wal/00000001: offset 19: checksum 1, want 2');
  expect([damage.path, damage.offsetBytes, damage.cause, damage.name]).toEqual([
    'wal/00000001',
    19,
    cause,
    'CorruptionError',
  ]);
  expect([new BadRequest('x').name, new Unavailable('x').name]).toEqual(['BadRequest', 'Unavailable']);
});

test('assert throws only when its condition fails', () => {
  assert(1 + 1 === 2, 'sum');
  expect(() => assert(false, 'refs[3]: 2 after 5, want ascending')).toThrow(
    'BUG: refs[3]: 2 after 5, want ascending',
  );
});
