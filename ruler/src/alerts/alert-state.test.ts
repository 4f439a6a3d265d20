import { describe, expect, test } from '@jest/globals';
import { isDue, restoredActiveAt, stepAlerts } from './alert-state.ts';
import type { Alert, Found } from './alert-state.ts';

const minute = 60_000;
const found: Found = new Map([['a', { labels: { alertname: 'A' }, annotations: {}, value: 1 }]]);
const nothing: Found = new Map();

/** The states of alert "a" over evaluations a minute apart: `+` found, `-` not found. */
function states(pattern: string, forMs: number, keepFiringForMs = 0): string[] {
  let alerts = new Map<string, Alert>();
  return Array.from(pattern, (mark, index) => {
    alerts = stepAlerts(alerts, mark === '+' ? found : nothing, index * minute, { forMs, keepFiringForMs });
    return alerts.get('a')?.state ?? 'gone';
  });
}

describe('the life of an alert', () => {
  test('without `for` it fires at once, and resolves when it is not found', () => {
    expect(states('++-', 0)).toEqual(['firing', 'firing', 'inactive']);
  });

  test('with `for` it is pending first, and a gap begins it anew', () => {
    expect(states('+++', 2 * minute)).toEqual(['pending', 'pending', 'firing']);
    expect(states('+-++', 2 * minute)).toEqual(['pending', 'gone', 'pending', 'pending']);
  });

  test('keep_firing_for holds it, and is reset when it is found again', () => {
    expect(states('+--+--', 0, 2 * minute)).toEqual([
      'firing',
      'firing',
      'firing',
      'firing',
      'firing',
      'firing',
    ]);
    expect(states('+---', 0, 2 * minute)).toEqual(['firing', 'firing', 'firing', 'inactive']);
  });

  test('a resolved alert is kept for 15 minutes and then forgotten; it can come back before', () => {
    expect(states(`+${'-'.repeat(17)}`, 0).slice(-2)).toEqual(['inactive', 'gone']);
    expect(states('+-+', minute)).toEqual(['pending', 'gone', 'pending']);
  });

  test('a raised `for` takes a firing alert back to pending', () => {
    const fired = stepAlerts(new Map(), found, 0, { forMs: 0, keepFiringForMs: 0 });
    const next = stepAlerts(fired, found, minute, { forMs: 5 * minute, keepFiringForMs: 0 });
    expect(next.get('a')?.state).toBe('pending');
  });
});

test('an alert is due when it fires or has resolved and was not sent lately', () => {
  const alert = stepAlerts(new Map(), found, 0, { forMs: 0, keepFiringForMs: 0 }).get('a')!;
  expect(isDue({ ...alert, state: 'pending' }, 0, minute)).toBe(false);
  expect(isDue({ ...alert, lastSentAtMs: 10 }, 20, minute)).toBe(false);
  expect(isDue({ ...alert, lastSentAtMs: 10 }, minute + 10, minute)).toBe(true);
  expect(isDue({ ...alert, state: 'inactive', resolvedAtMs: 15, lastSentAtMs: 10 }, 20, minute)).toBe(true);
});

test('after an outage the time of `for` goes on from where it was', () => {
  const check = (activeAt: number, lastSeen: number, graceMinutes: number, want: number) => {
    const options = { forMs: 10 * minute, gracePeriodMs: graceMinutes * minute, nowMs: 20 * minute };
    expect(restoredActiveAt(activeAt * minute, lastSeen * minute, options)).toBe(want * minute);
  };
  check(4, 18, 0, 4);
  check(12, 18, 0, 14);
  check(12, 18, 6, 16);
});
