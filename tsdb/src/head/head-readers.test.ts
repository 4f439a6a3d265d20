import { expect, test } from '@jest/globals';
import { Unavailable } from '@flotilla/model';
import { HeadReaders } from './head-readers.ts';

const never = new AbortController().signal;

test('a cut waits for the readers that there are, up to a limit; one that is still there fails at its next turn', async () => {
  const readers = new HeadReaders();
  await readers.none(1e9, never);
  const [first, second] = [readers.begin(), readers.begin()];
  let isFree = false;
  const free = readers.none(1e9, never).then(() => (isFree = true));
  first.end();
  first.end();
  await second.turn();
  expect(isFree).toBe(false);
  second.end();
  await free;
  const slow = readers.begin();
  await readers.none(1, never);
  readers.cut();
  await expect(slow.turn()).rejects.toThrow(Unavailable);
  const next = readers.begin();
  await next.turn();
});
