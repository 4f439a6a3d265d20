// Prometheus's humanize family.

import { formatFloat } from '@flotilla/model';
import { Float, sprintf } from './format-value.ts';

const large = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
const small = ['', 'm', 'u', 'n', 'p', 'f', 'a', 'z', 'y'];
const binary = ['', 'ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi'];

function fourDigits(value: number): string {
  return sprintf('%.4g', [new Float(value)]);
}

/** 1234567 → 1.235M, 0.001 → 1m */
export function humanize(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return fourDigits(value);
  let scaled = value;
  let power = 0;
  if (Math.abs(value) >= 1) {
    while (Math.abs(scaled) >= 1000 && power < large.length - 1) {
      scaled /= 1000;
      power++;
    }
    return fourDigits(scaled) + large[power]!;
  }
  while (Math.abs(scaled) < 1 && power < small.length - 1) {
    scaled *= 1000;
    power++;
  }
  return fourDigits(scaled) + small[power]!;
}

export function humanize1024(value: number): string {
  if (Math.abs(value) <= 1 || !Number.isFinite(value)) return fourDigits(value);
  let scaled = value;
  let power = 0;
  while (Math.abs(scaled) >= 1024 && power < binary.length - 1) {
    scaled /= 1024;
    power++;
  }
  return fourDigits(scaled) + binary[power]!;
}

/** Seconds: 3661 → 1h 1m 1s, 0.0021 → 2.1ms */
export function humanizeDuration(value: number): string {
  if (!Number.isFinite(value)) return fourDigits(value);
  if (value === 0) return '0s';
  if (Math.abs(value) < 1) {
    let scaled = value;
    let power = 0;
    while (Math.abs(scaled) < 1 && power < small.length - 1) {
      scaled *= 1000;
      power++;
    }
    return `${fourDigits(scaled)}${small[power]}s`;
  }
  const sign = value < 0 ? '-' : '';
  const total = Math.trunc(Math.abs(value));
  const [seconds, minutes, hours, days] = [
    total % 60,
    Math.trunc(total / 60) % 60,
    Math.trunc(total / 3600) % 24,
    Math.trunc(total / 86_400),
  ];
  if (days !== 0) return `${sign}${days}d ${hours}h ${minutes}m ${seconds}s`;
  if (hours !== 0) return `${sign}${hours}h ${minutes}m ${seconds}s`;
  if (minutes !== 0) return `${sign}${minutes}m ${seconds}s`;
  return `${sign}${fourDigits(Math.abs(value))}s`;
}

/** 0.1234 → 12.34% */
export function humanizePercentage(value: number): string {
  return `${fourDigits(value * 100)}%`;
}

/** Unix seconds as Go prints a UTC time. */
export function humanizeTimestamp(value: number): string {
  if (!Number.isFinite(value)) return fourDigits(value);
  const timeMs = Math.round(value * 1000);
  if (Math.abs(timeMs) > 8.64e15)
    throw new RangeError(`${formatFloat(value)} cannot be represented as a nanoseconds timestamp`);
  const iso = new Date(timeMs).toISOString();
  const fraction = iso.slice(19, -1).replace(/\.?0+$/, '');
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}${fraction} +0000 UTC`;
}
