import { expect, test } from '@jest/globals';
import { pause } from './pause.ts';

test('ends when its time is over, and at once when the signal aborts or has aborted', async () => {
  const stopping = new AbortController();
  await pause(1, stopping.signal);
  const long = pause(1_000_000, stopping.signal);
  stopping.abort();
  await long;
  await pause(1_000_000, stopping.signal);
  expect(stopping.signal.aborted).toBe(true);
});
