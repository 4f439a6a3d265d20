// The service role: one target a service port, at the service's DNS name.

import { Labels } from '@flotilla/model';
import type { ObjectOf } from '../objects/kinds.ts';
import { keyOf } from '../objects/kube-object.ts';
import { ADDRESS, joinHostPort, type LabelRecord, META, objectLabels } from './meta-labels.ts';
import type { TargetGroup } from './target-group.ts';

type Service = ObjectOf<'Service'>;

export function serviceTargets(service: Service): TargetGroup {
  const { metadata, spec } = service;
  const shared = { ...serviceLabels(service), ...serviceTypeLabels(service) };
  const records = spec.ports.map((port): LabelRecord => ({
    ...shared,
    [ADDRESS]: joinHostPort(`${metadata.name}.${metadata.namespace}.svc`, port.port),
    [`${META}service_port_name`]: port.name,
    [`${META}service_port_number`]: String(port.port),
    [`${META}service_port_protocol`]: port.protocol,
  }));
  const targets = records.map((record) => Labels.fromRecord(record));
  return { source: `svc/${keyOf(service)}`, namespace: metadata.namespace, targets };
}

function serviceTypeLabels({ spec }: Service): LabelRecord {
  return {
    [`${META}service_type`]: spec.type,
    ...(spec.type === 'ExternalName'
      ? { [`${META}service_external_name`]: spec.externalName }
      : { [`${META}service_cluster_ip`]: spec.clusterIP }),
    ...(spec.type === 'LoadBalancer' && { [`${META}service_loadbalancer_ip`]: spec.loadBalancerIP }),
  };
}

export function serviceLabels({ metadata }: Service): LabelRecord {
  return { ...objectLabels('service', metadata), [`${META}namespace`]: metadata.namespace };
}
