// What a system's log of failed scrapes says of the cases: JSON lines with the time, the message and the URL of the target.

import { readFileSync } from 'node:fs';

interface Failure {
  readonly timeMs: number;
  readonly message: string;
}

/** By case. */
export type FailureRecord = ReadonlyMap<number, readonly Failure[]>;

/** A file that is not there has no failures. */
export function readFailures(files: readonly string[]): FailureRecord {
  const record = new Map<number, Failure[]>();
  for (const line of files.flatMap((file) => linesOf(file))) {
    const { time, msg, target } = JSON.parse(line) as Readonly<Record<'time' | 'msg' | 'target', string>>;
    const number = Number(target.slice(target.lastIndexOf('/') + 1));
    const list = record.get(number) ?? [];
    list.push({ timeMs: Date.parse(time), message: msg });
    record.set(number, list);
  }
  return record;
}

/** Those of the scrape that began at `timeMs`, as `message after N ms`. */
export function failuresOf(
  record: FailureRecord,
  number: number,
  timeMs: number,
  intervalMs: number,
): string[] {
  return (record.get(number) ?? [])
    .filter((one) => one.timeMs >= timeMs && one.timeMs < timeMs + intervalMs)
    .map((one) => `${one.message} after ${one.timeMs - timeMs} ms`);
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n');
  } catch {
    return [];
  }
}
