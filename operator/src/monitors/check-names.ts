// Checks that an API server does not make: of static labels, of the address of a prober.

import { isIP } from 'node:net';

const hostName = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?$/;

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
