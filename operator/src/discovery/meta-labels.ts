// Parts of the `__meta_kubernetes_…` vocabulary that all roles share.

import { isIPv6 } from 'node:net';
import type { ObjectMeta } from '../objects/kube-object.ts';

export type LabelRecord = Record<string, string>;

export const ADDRESS = '__address__';
export const META = '__meta_kubernetes_';

/** A label or annotation key as part of a Prometheus label name. */
export function sanitizeName(key: string): string {
  return key.replaceAll(/[^a-zA-Z0-9_]/g, '_');
}

/** Name, labels and annotations of an object under `__meta_kubernetes_<role>_`. */
export function objectLabels(role: string, { name, labels, annotations }: ObjectMeta): LabelRecord {
  const record: LabelRecord = { [`${META}${role}_name`]: name };
  addMap(record, `${META}${role}_label`, labels);
  addMap(record, `${META}${role}_annotation`, annotations);
  return record;
}

/** `<prefix>_<key>` and `<prefix>present_<key>` for each pair. */
function addMap(record: LabelRecord, prefix: string, map: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(map)) {
    const name = sanitizeName(key);
    record[`${prefix}_${name}`] = value;
    record[`${prefix}present_${name}`] = 'true';
  }
}

/** Go's net.JoinHostPort. */
export function joinHostPort(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
