// Start times in the test language: a line `metric@st <offsets>` before a series gives each of its samples one, as an
// offset from the sample's time.

import { parseDuration } from '@flotilla/model';

/** Milliseconds from the sample to its start, or undefined for none. */
export type StartOffset = number | undefined;

const ITEM = /^([+-]?)(\d+[a-wyz]*)(?:([+-])([+-]?)(\d+[a-wyz]*))?(?:x(\d+))?$/i;

/** `-1m`, `-1mx3` (four times), `0s-15sx3` (0 -15 -30 -45), `_`, `_x3` (three times). Throws SyntaxError. */
export function parseStartOffsets(text: string): StartOffset[] {
  return text
    .trim()
    .split(/\s+/)
    .flatMap((word) => parseItem(word));
}

function parseItem(word: string): StartOffset[] {
  const omitted = /^_(?:x(\d+))?$/.exec(word);
  if (omitted !== null) return Array.from<undefined>({ length: Number(omitted[1] ?? 1) });
  const match = ITEM.exec(word);
  if (match === null) throw new SyntaxError(`start time: "${word}", want an offset such as -1m, _, -1mx3`);
  const [, sign, first, plus, deltaSign, delta, times] = match;
  const start = signed(sign, first!);
  const step = delta === undefined ? 0 : signed(deltaSign, delta) * (plus === '-' ? -1 : 1);
  return Array.from({ length: times === undefined ? 1 : Number(times) + 1 }, (_, i) => start + i * step);
}

function signed(sign: string | undefined, text: string): number {
  return parseDuration(text) * (sign === '-' ? -1 : 1);
}
