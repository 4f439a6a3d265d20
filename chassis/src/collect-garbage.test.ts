import { expect, test } from '@jest/globals';
import { collectGarbage } from './collect-garbage.ts';

test('frees what nothing holds, and comes back', async () => {
  let isFreed = false;
  const registry = new FinalizationRegistry(() => (isFreed = true));
  registry.register({ large: new Uint8Array(1 << 20) }, '');
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(isFreed).toBe(true);
});
