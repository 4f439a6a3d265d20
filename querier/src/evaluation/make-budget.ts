// The bytes that a job which is no query may hold.

import { QueryLimitError } from '@flotilla/promql';
import type { MemoryBudget } from '@flotilla/promql';

/** Its error names the job, the selector and the bytes. */
export function makeBudget(job: string, bytesMax: number): MemoryBudget {
  let held = 0;
  return {
    take(bytes, where) {
      held += bytes;
      if (held > bytesMax)
        throw new QueryLimitError(`${job}: ${where}: ${held} bytes, want at most ${bytesMax}`);
    },
    give(bytes) {
      held -= bytes;
    },
  };
}
