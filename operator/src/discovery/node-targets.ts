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
  const { addresses, conditions, daemonEndpoints } = node.status;
  const group = { source: `node/${node.metadata.name}`, namespace: '' };
  const firstOf = (type: string): string | undefined =>
    addresses.find((address) => address.type === type)?.address;
  const address = addressPreference.map(firstOf).find((found) => found !== undefined);
  if (address === undefined) return { ...group, targets: [] };
  const record: LabelRecord = {
    ...nodeLabels(node),
    [ADDRESS]: joinHostPort(address, daemonEndpoints.kubeletEndpoint.Port),
    [`${META}node_provider_id`]: node.spec.providerID,
    instance: node.metadata.name,
  };
  for (const { type, status } of conditions)
    record[`${META}node_condition_${sanitizeName(type.toLowerCase())}`] = status.toLowerCase();
  for (const { type } of addresses) record[`${META}node_address_${sanitizeName(type)}`] = firstOf(type) ?? '';
  return { ...group, targets: [Labels.fromRecord(record)] };
}

/** Name, labels and annotations: what attachMetadata.node adds to other roles. */
export function nodeLabels({ metadata }: Node): LabelRecord {
  return objectLabels('node', metadata);
}
