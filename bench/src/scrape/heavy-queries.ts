// A client that asks a side for all of its series, again and again, while it scrapes: does a query delay a scrape?

import type { Generator } from './generator-process.ts';
import type { Side } from './sides.ts';

export interface Beside {
  /** Answered in full. */
  readonly queries: number;
  /** What the longest of them took. */
  readonly querySeconds: number;
  /** Ended with an error: a limit was reached, or the side was too busy. */
  readonly refused: number;
  readonly late: number;
  readonly missed: number;
}

/** Every series of the targets, and every sample of the last minute. */
const query = 'sum({job="load"})';
const spanSeconds = 60;
const stepSeconds = 5;
const timeoutMs = 120_000;

/** One query after the other for so long. */
export async function askAgainAndAgain(side: Side, generator: Generator, seconds: number): Promise<Beside> {
  await generator.takeLateness();
  const endMs = performance.now() + seconds * 1000;
  let [queries, refused, longestMs] = [0, 0, 0];
  while (performance.now() < endMs) {
    const startMs = performance.now();
    const isGood = await ask(side.queryUrl);
    longestMs = Math.max(longestMs, performance.now() - startMs);
    if (isGood) queries++;
    else refused++;
  }
  const { late, missed } = await generator.takeLateness();
  return { queries, refused, querySeconds: Math.round(longestMs / 100) / 10, late, missed };
}

async function ask(url: string): Promise<boolean> {
  try {
    const end = Date.now() / 1000;
    const span = { start: `${end - spanSeconds}`, end: `${end}`, step: `${stepSeconds}` };
    const response = await fetch(`${url}/api/v1/query_range?${new URLSearchParams({ query, ...span })}`, {
      signal: AbortSignal.timeout(timeoutMs),
    });
    const { status, warnings } = (await response.json()) as { status: string; warnings?: unknown };
    return status === 'success' && warnings === undefined;
  } catch {
    return false;
  }
}
