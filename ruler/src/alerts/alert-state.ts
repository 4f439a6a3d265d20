// The life of the alerts of one rule. Pure: a step takes what is and what the query found, and gives what is now.
// The rules are Prometheus's: `for` counts from the first evaluation that found the alert, `keep_firing_for` from the first
// that did not; a resolved alert is kept for a while so that its end can be sent again.

export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly value: number;
  readonly state: 'pending' | 'firing' | 'inactive';
  readonly activeAtMs: number;
  /** 0 until it fires. */
  readonly firedAtMs: number;
  /** 0 while it is active. */
  readonly resolvedAtMs: number;
  /** 0 unless it is kept firing though the query no longer finds it. */
  readonly keepFiringSinceMs: number;
  readonly lastSentAtMs: number;
}

/** An alert that the query found, by the key of its labels. */
export type Found = ReadonlyMap<string, Pick<Alert, 'labels' | 'annotations' | 'value'>>;
export type Alerts = ReadonlyMap<string, Alert>;

export interface AlertTiming {
  readonly forMs: number;
  readonly keepFiringForMs: number;
}

const resolvedRetentionMs = 15 * 60_000;

/** The alerts after an evaluation at `nowMs`. */
export function stepAlerts(
  alerts: Alerts,
  found: Found,
  nowMs: number,
  timing: AlertTiming,
): Map<string, Alert> {
  const next = new Map<string, Alert>();
  for (const [key, alert] of alerts) {
    if (found.has(key)) continue;
    const left = stepMissing(alert, nowMs, timing);
    if (left !== undefined) next.set(key, left);
  }
  for (const [key, sample] of found) next.set(key, stepFound(alerts.get(key), sample, nowMs, timing));
  return next;
}

function stepFound(
  before: Alert | undefined,
  sample: Pick<Alert, 'labels' | 'annotations' | 'value'>,
  nowMs: number,
  { forMs }: AlertTiming,
): Alert {
  const alert: Alert =
    before === undefined || before.state === 'inactive'
      ? {
          ...sample,
          state: 'pending',
          activeAtMs: nowMs,
          firedAtMs: 0,
          resolvedAtMs: 0,
          keepFiringSinceMs: 0,
          lastSentAtMs: 0,
        }
      : { ...before, ...sample, keepFiringSinceMs: 0 };
  if (alert.state === 'pending' && nowMs - alert.activeAtMs >= forMs)
    return { ...alert, state: 'firing', firedAtMs: nowMs };
  if (alert.state === 'firing' && nowMs - alert.activeAtMs < forMs)
    return { ...alert, state: 'pending', firedAtMs: 0 };
  return alert;
}

/** Undefined when the alert is forgotten. */
function stepMissing(alert: Alert, nowMs: number, { keepFiringForMs }: AlertTiming): Alert | undefined {
  if (alert.state === 'pending') return undefined;
  if (alert.state === 'inactive') return nowMs - alert.resolvedAtMs > resolvedRetentionMs ? undefined : alert;
  if (keepFiringForMs > 0) {
    const keepFiringSinceMs = alert.keepFiringSinceMs || nowMs;
    if (nowMs - keepFiringSinceMs < keepFiringForMs) return { ...alert, keepFiringSinceMs };
  }
  return { ...alert, state: 'inactive', resolvedAtMs: nowMs };
}

/** Whether Alertmanager must hear of it now: it fires or has resolved, and was not sent lately. */
export function isDue(alert: Alert, nowMs: number, resendDelayMs: number): boolean {
  if (alert.state === 'pending') return false;
  if (alert.resolvedAtMs > alert.lastSentAtMs) return true;
  return alert.lastSentAtMs + resendDelayMs <= nowMs;
}

export interface RestoreOptions {
  readonly forMs: number;
  readonly gracePeriodMs: number;
  readonly nowMs: number;
}

/**
 * Since when an alert counts as active after a restart, from the last ALERTS_FOR_STATE sample: the outage does not count
 * towards `for`, and a grace period is left when the rest of `for` is shorter.
 */
export function restoredActiveAt(
  activeAtMs: number,
  lastSeenMs: number,
  { forMs, gracePeriodMs, nowMs }: RestoreOptions,
): number {
  const spentMs = lastSeenMs - activeAtMs;
  const remainingMs = forMs - spentMs;
  if (remainingMs <= 0) return activeAtMs;
  if (remainingMs < gracePeriodMs) return nowMs + gracePeriodMs - forMs;
  return activeAtMs + (nowMs - lastSeenMs);
}
