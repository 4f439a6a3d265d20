// DNS discovery: the records of a name as targets, with the labels that Prometheus gives them.

import { Resolver } from 'node:dns/promises';
import type { DnsSdSpec } from '../objects/monitoring-schema.ts';
import { joinHostPort } from './meta-labels.ts';
import type { StaticGroup } from './target-document.ts';

const META_DNS = '__meta_dns_';
const timeoutMs = 5000;

interface Found {
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Throws RangeError for a spec that lacks its port, and what the resolver throws. */
export async function resolveName(
  name: string,
  { type = 'SRV', port = 0 }: DnsSdSpec,
): Promise<StaticGroup[]> {
  if (type !== 'SRV' && port === 0) throw new RangeError(`dnsSDConfigs: type ${type} wants a port`);
  const resolver = new Resolver({ timeout: timeoutMs, tries: 2 });
  const found = await lookup(resolver, name, type, port);
  return found.map(({ address, labels }) => ({
    targets: [address],
    labels: { [`${META_DNS}name`]: name, ...labels },
  }));
}

async function lookup(
  resolver: Resolver,
  name: string,
  type: NonNullable<DnsSdSpec['type']>,
  port: number,
): Promise<Found[]> {
  const hosts = (addresses: readonly string[]): Found[] =>
    addresses.map((address) => ({ address: joinHostPort(address, port), labels: {} }));
  switch (type) {
    case 'A':
      return hosts(await resolver.resolve4(name));
    case 'AAAA':
      return hosts(await resolver.resolve6(name));
    case 'MX':
      return (await resolver.resolveMx(name)).map(({ exchange }) => ({
        address: joinHostPort(exchange, port),
        labels: { [`${META_DNS}mx_record_target`]: `${exchange}.` },
      }));
    case 'NS':
      return (await resolver.resolveNs(name)).map((host) => ({
        address: joinHostPort(host, port),
        labels: { [`${META_DNS}ns_record_target`]: `${host}.` },
      }));
    case 'SRV':
      return (await resolver.resolveSrv(name)).map((record) => ({
        address: joinHostPort(record.name, record.port),
        labels: {
          [`${META_DNS}srv_record_target`]: `${record.name}.`,
          [`${META_DNS}srv_record_port`]: `${record.port}`,
        },
      }));
  }
}
