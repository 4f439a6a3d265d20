// The kinds that the operator reads, one row each: group and version, scope, schema, and what an unknown field does.

import { z } from 'zod';
import * as core from './core-schema.ts';
import { fleetSpecSchema } from '../discovery/fleet-spec.ts';
import type { ObjectHead } from './kube-object.ts';
import * as monitoring from './monitoring-schema.ts';
import { boolean, stringMap } from './schema-parts.ts';

/** `refuse` the object, `warn` and drop the field, or `strip` it: the kind has many that are not used here. */
type UnknownFields = 'refuse' | 'warn' | 'strip';

const owner = z.object({ kind: z.string(), name: z.string(), controller: boolean.default(false) });

const metadata = z.object({
  name: z.string().min(1),
  namespace: z.string().min(1).default('default'),
  labels: stringMap.default({}),
  annotations: stringMap.default({}),
  uid: z.string().default(''),
  generation: z.int().optional(),
  ownerReferences: z.array(owner).default([]),
});

function kind<K extends string, S extends z.ZodRawShape>(
  name: K,
  apiVersion: string,
  fields: S,
  options: { namespaced?: boolean; unknownFields?: UnknownFields } = {},
) {
  const { namespaced = true, unknownFields = 'strip' } = options;
  const shape = { apiVersion: z.string(), kind: z.literal(name), metadata, ...fields };
  const schema =
    unknownFields === 'strip'
      ? z.object(shape)
      : z.strictObject({ ...shape, status: z.unknown().optional() });
  return { name, apiVersion, namespaced, unknownFields, schema: schema as z.ZodObject<typeof shape> };
}

const fleet = { unknownFields: 'refuse' } as const;
const monitor = { unknownFields: 'warn' } as const;
const global = { namespaced: false } as const;

const KINDS = {
  Fleet: kind('Fleet', 'flotilla.dev/v1alpha1', { spec: fleetSpecSchema }, fleet),
  ServiceMonitor: kind(
    'ServiceMonitor',
    'monitoring.coreos.com/v1',
    monitoring.serviceMonitorFields,
    monitor,
  ),
  PodMonitor: kind('PodMonitor', 'monitoring.coreos.com/v1', monitoring.podMonitorFields, monitor),
  Probe: kind('Probe', 'monitoring.coreos.com/v1', monitoring.probeFields, monitor),
  PrometheusRule: kind(
    'PrometheusRule',
    'monitoring.coreos.com/v1',
    monitoring.prometheusRuleFields,
    monitor,
  ),
  ScrapeConfig: kind(
    'ScrapeConfig',
    'monitoring.coreos.com/v1alpha1',
    monitoring.scrapeConfigFields,
    monitor,
  ),
  Service: kind('Service', 'v1', core.serviceFields),
  EndpointSlice: kind('EndpointSlice', 'discovery.k8s.io/v1', core.endpointSliceFields),
  Pod: kind('Pod', 'v1', core.podFields),
  Node: kind('Node', 'v1', core.nodeFields, global),
  Namespace: kind('Namespace', 'v1', core.noFields, global),
  Ingress: kind('Ingress', 'networking.k8s.io/v1', core.ingressFields),
  Secret: kind('Secret', 'v1', core.secretFields),
  ConfigMap: kind('ConfigMap', 'v1', core.configMapFields),
};

export type Kind = keyof typeof KINDS;
export type ObjectOf<K extends Kind> = z.output<(typeof KINDS)[K]['schema']> & ObjectHead;
export type AnyObject = { [K in Kind]: ObjectOf<K> }[Kind];

export interface KindInfo {
  readonly name: string;
  readonly apiVersion: string;
  readonly namespaced: boolean;
  readonly unknownFields: UnknownFields;
  readonly schema: z.ZodObject;
}

export function kindApiVersion(name: Kind): string {
  return KINDS[name].apiVersion;
}

/** The row of a kind, or undefined when the operator does not read it. */
export function kindInfo(apiVersion: string, name: string): KindInfo | undefined {
  const info = Object.hasOwn(KINDS, name) ? KINDS[name as Kind] : undefined;
  return info?.apiVersion === apiVersion ? info : undefined;
}
