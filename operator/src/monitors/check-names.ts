// Checks that an API server does not make: of label selectors, of static labels, of the address of a prober.

import { isIP } from 'node:net';
import type { LabelSelector } from '../objects/schema-parts.ts';

const namePart = '([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)';
const labelKey = new RegExp(`^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?${namePart}$`);
const labelValue = new RegExp(`^${namePart}?$`);
const keyLengthMax = 253 + 1 + 63;
const valueLengthMax = 63;
const hostName = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?$/;

/** Throws RangeError for a key or value that no Kubernetes label can have. */
export function checkSelector({ matchLabels, matchExpressions }: LabelSelector): void {
  const keys = [...Object.keys(matchLabels), ...matchExpressions.map(({ key }) => key)];
  const values = [...Object.values(matchLabels), ...matchExpressions.flatMap((one) => one.values)];
  const badKey = keys.find((key) => key.length > keyLengthMax || !labelKey.test(key));
  if (badKey !== undefined) throw new RangeError(`selector: "${badKey}" is no label key`);
  const badValue = values.find((value) => value.length > valueLengthMax || !labelValue.test(value));
  if (badValue !== undefined) throw new RangeError(`selector: "${badValue}" is no label value`);
}

export function checkStaticLabels(labels: Readonly<Record<string, string>>): void {
  if (Object.hasOwn(labels, '')) throw new RangeError('labels: a label has no name');
}

/** host or host:port; a bare IPv6 address is one. */
export function checkProberUrl(url: string): void {
  if (isIP(url) !== 0) return;
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(url) ?? [];
  const isHost = host.startsWith('[')
    ? isIP(host.slice(1, -1)) === 6
    : isIP(host) === 4 || hostName.test(host);
  const isPort = port === undefined || (Number(port) >= 1 && Number(port) <= 65_535);
  if (!isHost || !isPort)
    throw new RangeError(`prober.url: "${url}", want host or host:port without scheme and path`);
}
