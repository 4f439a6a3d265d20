// Two grammars of durations: Prometheus's (`1h30m`, `1y`, whole numbers, units descending) and Go's (`1.5h`, `-2m`).

import { goQuote } from './go-quote.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

// Largest first. Years and weeks print only when nothing remains: 10d is not 1w3d.
const UNITS = [
  { unit: 'y', ms: 365 * DAY_MS, exact: true },
  { unit: 'w', ms: 7 * DAY_MS, exact: true },
  { unit: 'd', ms: DAY_MS, exact: false },
  { unit: 'h', ms: HOUR_MS, exact: false },
  { unit: 'm', ms: MINUTE_MS, exact: false },
  { unit: 's', ms: SECOND_MS, exact: false },
  { unit: 'ms', ms: 1, exact: false },
] as const;

const GO_UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3, // U+00B5, the micro sign
  μs: 1e-3, // U+03BC, the Greek letter
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
};

// Go holds nanoseconds in an int64: about 292 years.
const DURATION_MAX_MS = 2 ** 63 / 1e6;

/** Milliseconds of a Prometheus duration. `0` needs no unit; a year is 365 days. Throws RangeError with Prometheus's text. */
export function parseDuration(s: string): number {
  if (s === '0') return 0;
  if (s === '') throw new RangeError('empty duration string');
  let totalMs = 0;
  let last = -1;
  for (const [, digits, unit] of s.matchAll(/([0-9]*)([^0-9]*)/g)) {
    if (digits === '' && unit === '') break; // The end.
    if (digits === '' || unit === '') throw invalidDuration(s);
    const index = UNITS.findIndex((known) => known.unit === unit);
    if (index < 0) throw new RangeError(`unknown unit ${goQuote(unit!)} in duration ${goQuote(s)}`);
    if (index <= last) throw invalidDuration(s);
    last = index;
    totalMs += Number(digits) * UNITS[index]!.ms;
    if (totalMs >= DURATION_MAX_MS) throw new RangeError('duration out of range');
  }
  return totalMs;
}

function invalidDuration(s: string): RangeError {
  return new RangeError(`not a valid duration string: ${goQuote(s)}`);
}

/** A duration as Prometheus prints it: 90000 → `1m30s`, 0 → `0s`. Parts of a millisecond are cut. */
export function formatDuration(durationMs: number): string {
  let restMs = Math.trunc(Math.abs(durationMs));
  if (restMs === 0) return '0s';
  let text = durationMs < 0 ? '-' : '';
  for (const { unit, ms, exact } of UNITS) {
    if (restMs < ms || (exact && restMs % ms !== 0)) continue;
    text += `${Math.floor(restMs / ms)}${unit}`;
    restMs %= ms;
  }
  return text;
}

/** Milliseconds of a Go duration (time.ParseDuration). Throws RangeError with Go's text. */
export function parseGoDuration(s: string): number {
  const sign = s.startsWith('-') ? -1 : 1;
  const body = s.replace(/^[+-]/, '');
  if (body === '0') return 0;
  let totalMs = 0;
  let end = 0;
  do {
    const part = /^([0-9]+\.?[0-9]*|\.[0-9]+)([^0-9.]*)/.exec(body.slice(end));
    if (part === null) throw invalidGoDuration(s);
    totalMs += Number(part[1]) * goUnitMs(part[2]!, s);
    end += part[0].length;
  } while (end < body.length);
  if (totalMs >= DURATION_MAX_MS) throw invalidGoDuration(s);
  return sign * totalMs;
}

function goUnitMs(unit: string, s: string): number {
  if (unit === '') throw new RangeError(`time: missing unit in duration ${goQuote(s)}`);
  if (!Object.hasOwn(GO_UNITS_MS, unit)) {
    throw new RangeError(`time: unknown unit ${goQuote(unit)} in duration ${goQuote(s)}`);
  }
  return GO_UNITS_MS[unit]!;
}

function invalidGoDuration(s: string): RangeError {
  return new RangeError(`time: invalid duration ${goQuote(s)}`);
}
