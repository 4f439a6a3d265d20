// The bytes that a query, or another reader of a storage, may hold.

import type { MemoryBudget } from '../storage.ts';
import { QueryLimitError } from './errors.ts';

/** Its error, a QueryLimitError, says `what` holds too much, the selector or operator, and the bytes. */
export function makeBudget(what: string, maxBytes: number): MemoryBudget {
  let held = 0;
  return {
    take(bytes, where) {
      held += bytes;
      if (held > maxBytes)
        throw new QueryLimitError(`${what}: ${where}: ${held} bytes, want at most ${maxBytes}`);
    },
    give(bytes) {
      held -= bytes;
    },
  };
}
