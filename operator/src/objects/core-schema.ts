// What discovery reads of Kubernetes's own kinds. Everything else is stripped while decoding: a pod is 10 KB, the part that
// is used 2 KB, and the objects are the operator's memory.

import { z } from 'zod';
import { stringMap, strings, boolean, intOrString } from './schema-parts.ts';

const text = z.string().default('');

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
      ipFamilies: strings.default([]),
      ports: z.array(servicePort).default([]),
    })
    .prefault({}),
};

const objectReference = z.object({ kind: text, name: text, namespace: text });

const endpoint = z.object({
  addresses: strings.default([]),
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
  endpoints: z.array(endpoint).default([]),
  ports: z.array(endpointPort).default([]),
};

const containerPort = z.object({ name: text, containerPort: z.int(), protocol: z.string().default('TCP') });
const container = z.object({ name: z.string(), image: text, ports: z.array(containerPort).default([]) });
const containerStatus = z.object({ name: z.string(), containerID: text });
const condition = z.object({ type: z.string(), status: z.string() });

export const podFields = {
  spec: z
    .object({
      nodeName: text,
      containers: z.array(container).default([]),
      initContainers: z.array(container).default([]),
    })
    .prefault({}),
  status: z
    .object({
      phase: text,
      podIP: text,
      hostIP: text,
      conditions: z.array(condition).default([]),
      containerStatuses: z.array(containerStatus).default([]),
      initContainerStatuses: z.array(containerStatus).default([]),
    })
    .prefault({}),
};

export const nodeFields = {
  spec: z.object({ providerID: text }).prefault({}),
  status: z
    .object({
      addresses: z.array(z.object({ type: z.string(), address: z.string() })).default([]),
      daemonEndpoints: z
        .object({ kubeletEndpoint: z.object({ Port: z.int().default(0) }).prefault({}) })
        .prefault({}),
    })
    .prefault({}),
};

const ingressRule = z.object({
  host: text,
  http: z.object({ paths: z.array(z.object({ path: text })).default([]) }).optional(),
});

export const ingressFields = {
  spec: z
    .object({
      ingressClassName: text,
      tls: z.array(z.object({ hosts: strings.default([]) })).default([]),
      rules: z.array(ingressRule).default([]),
    })
    .prefault({}),
};

/** Values in base64, as Kubernetes has them; stringData wins. */
export const secretFields = { data: stringMap.default({}), stringData: stringMap.default({}) };
export const configMapFields = { data: stringMap.default({}), binaryData: stringMap.default({}) };
export const noFields = {};
