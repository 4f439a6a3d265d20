// The names in a WAL folder: segments 00000000, 00000001, … and checkpoint.00000004, which stands for all segments up
// to its number and is a folder of segments itself.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export function segmentPath(dir: string, segment: number): string {
  return join(dir, String(segment).padStart(8, '0'));
}

export function checkpointPath(dir: string, segment: number): string {
  return join(dir, `checkpoint.${String(segment).padStart(8, '0')}`);
}

function numbered(dir: string, pattern: RegExp): number[] {
  const numbers: number[] = [];
  if (!existsSync(dir)) return numbers;
  for (const name of readdirSync(dir)) {
    const found = pattern.exec(name);
    if (found !== null) numbers.push(Number(found[1]));
  }
  return numbers.toSorted((a, b) => a - b);
}

/** Numbers of the segments, ascending. */
export function listSegments(dir: string): number[] {
  return numbered(dir, /^(\d{8})$/);
}

/** Numbers of the finished checkpoints, ascending. */
export function listCheckpoints(dir: string): number[] {
  return numbered(dir, /^checkpoint\.(\d{8})$/);
}
