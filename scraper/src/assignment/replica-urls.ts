// The addresses behind one URL: a headless Service has one for each of its pods.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/**
 * The URL once per address of its host. One with https or an address as host stays as it is: certificates are for names.
 *
 * Throws when the name cannot be resolved.
 */
export async function replicaUrls(url: string): Promise<string[]> {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'http:' || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return [url];
  const addresses = await lookup(hostname, { all: true });
  return addresses.map(({ address, family }) => {
    const replica = new URL(url);
    replica.hostname = family === 6 ? `[${address}]` : address;
    return replica.href.replace(/\/+$/, '');
  });
}
