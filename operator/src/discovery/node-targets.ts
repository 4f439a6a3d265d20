// The node role: one target a node, at its kubelet's port.

import { Labels } from '@flotilla/model';
import type { ObjectOf } from '../objects/kinds.ts';
import { ADDRESS, joinHostPort, type LabelRecord, META, objectLabels, sanitizeName } from './meta-labels.ts';
import type { TargetGroup } from './target-group.ts';

type Node = ObjectOf<'Node'>;

const addressPreference = [
  'InternalIP',
  'InternalDNS',
  'ExternalIP',
  'ExternalDNS',
  'LegacyHostIP',
  'Hostname',
];

/** A node without an address has no target. */
export function nodeTargets(node: Node): TargetGroup {
  const { addresses, daemonEndpoints } = node.status;
  const group = { source: `node/${node.metadata.name}`, namespace: '' };
  const firstOf = (type: string): string | undefined =>
    addresses.find((address) => address.type === type)?.address;
  const address = addressPreference.map(firstOf).find((found) => found !== undefined);
  if (address === undefined) return { ...group, targets: [] };
  const record: LabelRecord = {
    ...nodeLabels(node),
    [ADDRESS]: joinHostPort(address, daemonEndpoints.kubeletEndpoint.Port),
    instance: node.metadata.name,
  };
  for (const { type } of addresses) record[`${META}node_address_${sanitizeName(type)}`] = firstOf(type) ?? '';
  return { ...group, targets: [Labels.fromRecord(record)] };
}

/** Also what attachMetadata.node adds to other roles. */
export function nodeLabels(node: Node): LabelRecord {
  return { ...objectLabels('node', node.metadata), [`${META}node_provider_id`]: node.spec.providerID };
}
