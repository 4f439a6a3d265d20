// What a real Alertmanager holds, and what it has sent to its webhook.

import { existsSync } from 'node:fs';
import { hostAddress, ports } from './environment.ts';
import { get } from './querier.ts';

export const alertmanagerUrl = `http://${hostAddress}:${ports.alertmanager}`;
/** The same by the name that pods know. */
export const alertmanagerName = `http://host.e2e.test:${ports.alertmanager}`;

const binary = '/usr/bin/prometheus-alertmanager';
/** Why there is no Alertmanager; '' when there is one. */
export const noAlertmanager = existsSync(binary) ? '' : `${binary} is not installed`;

export interface ReceivedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
}

export interface Notification {
  readonly timeMs: number;
  readonly status: 'firing' | 'resolved';
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly alerts: readonly (ReceivedAlert & { readonly status: string })[];
}

async function json<T>(url: string): Promise<T> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
  return (await response.json()) as T;
}

export async function received(alertname: string): Promise<readonly ReceivedAlert[]> {
  const held = await json<readonly ReceivedAlert[]>(`${alertmanagerUrl}/api/v2/alerts`);
  return held.filter(({ labels }) => labels['alertname'] === alertname);
}

/** In the order in which they were sent. */
export async function notifications(alertname: string): Promise<readonly Notification[]> {
  const sent = await json<readonly Notification[]>(`http://${hostAddress}:${ports.notifications}/`);
  return sent.filter(({ groupLabels }) => groupLabels['alertname'] === alertname);
}

export interface RulerAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly state: string;
  readonly activeAt: string;
}

/** Alerts of the rulers, in the querier's answer. */
export async function alerts(alertname: string): Promise<readonly RulerAlert[]> {
  const { body } = await get('/api/v1/alerts');
  const found = (body.data as unknown as { alerts: readonly RulerAlert[] }).alerts;
  return found.filter(({ labels }) => labels['alertname'] === alertname);
}
