// Byte sizes as Prometheus flags and the operator's CRDs write them. KB and KiB alike are 1024 bytes.

import { goQuote } from './go-quote.ts';

const PREFIXES = ['', 'K', 'M', 'G', 'T', 'P', 'E'];

/** Bytes of `512MB`, `1.5GiB`, `1GiB512MiB` or `0`. Throws RangeError. */
export function parseByteSize(s: string): number {
  if (s === '0') return 0;
  if (!/^(([0-9]+(\.[0-9]+)?|\.[0-9]+)([KMGTPE]i?)?B)+$/.test(s)) {
    throw new RangeError(`not a valid byte size: ${goQuote(s)}, want a number and a unit such as 512MB`);
  }
  let bytes = 0;
  for (const [, number, prefix] of s.matchAll(/([0-9.]+)([KMGTPE]?)i?B/g)) {
    bytes += Number(number) * 1024 ** PREFIXES.indexOf(prefix!);
  }
  if (bytes > Number.MAX_SAFE_INTEGER)
    throw new RangeError(`byte size out of range: ${goQuote(s)}, want less than 8PiB`);
  return Math.floor(bytes);
}

/** Whole units, largest first: 1536 → `1KiB512B`, 0 → `0B`. parseByteSize reads it back. */
export function formatByteSize(bytes: number): string {
  let rest = Math.floor(bytes);
  let text = '';
  for (let power = PREFIXES.length - 1; power >= 0; power--) {
    const unit = 1024 ** power;
    if (rest < unit) continue;
    text += `${Math.floor(rest / unit)}${PREFIXES[power]}${power === 0 ? '' : 'i'}B`;
    rest %= unit;
  }
  return text === '' ? '0B' : text;
}
