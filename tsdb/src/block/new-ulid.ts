// Names of new blocks.

import { randomBytes } from 'node:crypto';
import { ulid } from 'ulid';

/** Of the random part; one byte is drawn for each. */
const CHARACTERS = 16;

/** The time and 80 random bits, drawn at once: `ulid` by itself asks the system for each character. */
export function newUlid(): string {
  const random = randomBytes(CHARACTERS);
  let next = 0;
  return ulid(undefined, () => random[next++]! / 256);
}
