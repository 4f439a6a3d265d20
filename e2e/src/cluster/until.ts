// Waits that end with a reason.

import { eventually } from '../local/fleet.ts';

/** Repeats `check` until it does not throw; fails with what it waited for and what the last one threw. */
export async function until(what: string, timeoutMs: number, check: () => Promise<void>): Promise<void> {
  await eventually(what, timeoutMs, async () => {
    await check();
    return true;
  });
}
