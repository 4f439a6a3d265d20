import { expect, test } from '@jest/globals';
import { Deadline } from './deadline.ts';

/** Resolves with the names of those that expired, in order, when `last` has. */
function expiries(
  plans: readonly (readonly [name: string, timeoutMs: number])[],
  last: string,
): Promise<string> {
  return new Promise((resolve) => {
    const names: string[] = [];
    for (const [name, timeoutMs] of plans) {
      const deadline = new Deadline();
      deadline.start(timeoutMs);
      deadline.onExpiry(() => {
        names.push(name);
        if (name === last) resolve(names.join(' '));
      });
    }
  });
}

/** What a scrape of a socket does to the process. */
function holdOpen(): () => void {
  const timer = setInterval(() => undefined, 1000);
  return () => clearInterval(timer);
}

test('expire in order, of different lengths, too', async () => {
  const release = holdOpen();
  const plans = [
    ['a', 30],
    ['b', 30],
    ['c', 80],
    ['d', 30],
  ] as const;
  expect(await expiries(plans, 'c')).toBe('a b d c');
  release();
});

test('do nothing when they are cleared, and begin anew', async () => {
  const release = holdOpen();
  const [first, middle, last] = [new Deadline(), new Deadline(), new Deadline()];
  const called: string[] = [];
  for (const [name, one] of Object.entries({ first, middle, last })) {
    one.start(20);
    one.onExpiry(() => called.push(name));
  }
  middle.clear();
  middle.clear();
  first.start(40);
  await new Promise<void>((resolve) => {
    first.onExpiry(() => resolve());
  });
  expect([called, first.isExpired, middle.isExpired, last.isExpired]).toEqual([['last'], true, false, true]);
  let isLate = false;
  first.onExpiry(() => (isLate = true));
  expect(isLate).toBe(true);
  release();
});
