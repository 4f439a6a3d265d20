// What discovery reads of Kubernetes's own kinds. Everything else is stripped while decoding: a pod is 10 KB, the part that
// is used 2 KB, and the objects are the operator's memory.

import { z } from 'zod';
import { stringMap, boolean, intOrString } from './schema-parts.ts';

const text = z.string().default('');

/** The API server sends null for a list that is empty and may not be absent. */
function list<T extends z.ZodType>(item: T) {
  return z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);
}

const servicePort = z.object({
  name: text,
  port: z.int(),
  protocol: z.string().default('TCP'),
  targetPort: intOrString.optional(),
});

export const serviceFields = {
  spec: z
    .object({
      type: z.string().default('ClusterIP'),
      clusterIP: text,
      externalName: text,
      loadBalancerIP: text,
      ipFamilies: list(z.string()),
      ports: list(servicePort),
    })
    .prefault({}),
};

const objectReference = z.object({ kind: text, name: text, namespace: text });

const endpoint = z.object({
  addresses: list(z.string()),
  conditions: z
    .object({ ready: boolean.optional(), serving: boolean.optional(), terminating: boolean.optional() })
    .default({}),
  hostname: text,
  nodeName: text,
  zone: text,
  targetRef: objectReference.optional(),
});

const endpointPort = z.object({
  name: text,
  port: z.int().optional(),
  protocol: z.string().default('TCP'),
  appProtocol: text,
});

export const endpointSliceFields = {
  addressType: z.string(),
  endpoints: list(endpoint),
  ports: list(endpointPort),
};

const containerPort = z.object({ name: text, containerPort: z.int(), protocol: z.string().default('TCP') });
const container = z.object({ name: z.string(), image: text, ports: list(containerPort) });
const containerStatus = z.object({ name: z.string(), containerID: text });
const noIds: Readonly<Record<string, string>> = Object.freeze({});
/** Ids by container: lists of pairs would be most of a pod's memory. */
const containerIds = list(containerStatus).transform((statuses): Readonly<Record<string, string>> => {
  if (statuses.length === 0) return noIds;
  return Object.fromEntries(statuses.map(({ name, containerID }) => [name, containerID]));
});
const condition = z.object({ type: z.string(), status: z.string() });

export const podFields = {
  spec: z
    .object({
      nodeName: text,
      containers: list(container),
      initContainers: list(container),
    })
    .prefault({}),
  status: z
    .object({
      phase: text,
      podIP: text,
      hostIP: text,
      conditions: list(condition),
      containerStatuses: containerIds,
      initContainerStatuses: containerIds,
    })
    .prefault({}),
};

export const nodeFields = {
  spec: z.object({ providerID: text }).prefault({}),
  status: z
    .object({
      addresses: list(z.object({ type: z.string(), address: z.string() })),
      conditions: list(condition),
      daemonEndpoints: z
        .object({ kubeletEndpoint: z.object({ Port: z.int().default(0) }).prefault({}) })
        .prefault({}),
    })
    .prefault({}),
};

const ingressRule = z.object({
  host: text,
  http: z.object({ paths: list(z.object({ path: text })) }).optional(),
});

export const ingressFields = {
  spec: z
    .object({
      ingressClassName: text,
      tls: list(z.object({ hosts: list(z.string()) })),
      rules: list(ingressRule),
    })
    .prefault({}),
};

/** Values in base64, as Kubernetes has them; stringData wins. */
export const secretFields = { data: stringMap.default({}), stringData: stringMap.default({}) };
export const configMapFields = { data: stringMap.default({}), binaryData: stringMap.default({}) };
export const noFields = {};
