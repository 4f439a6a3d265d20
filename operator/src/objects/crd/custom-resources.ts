// The CustomResourceDefinitions: our own, and the five of monitoring.coreos.com that are read here, for clusters that do not have them.

import { z } from 'zod';
import { fleetSpecSchema } from '../../discovery/fleet-spec.ts';
import { fleetStatusSchema } from '../fleet-status-schema.ts';
import * as monitoring from '../monitoring-schema.ts';
import { structuralSchema } from './structural-schema.ts';
import type { Schema } from './structural-schema.ts';

/** Raised with each change of any of them: the operator brings older ones up to date. */
const crdVersion = '1';

interface CustomResource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly category: string;
  readonly description: string;
  readonly spec: Schema;
  readonly status: Schema;
  readonly scale?: object;
  readonly columns?: readonly object[];
}

export interface CrdFile {
  readonly file: string;
  readonly crd: object;
}

/** In the order of their files. */
export function crdFiles(): CrdFile[] {
  return [fleet(), ...monitors()].map((resource) => ({
    file: `${resource.group}_${resource.plural}.yaml`,
    crd: definition(resource),
  }));
}

function definition(resource: CustomResource): object {
  const { group, version, kind, plural, shortNames, category, description, spec, status, scale } = resource;
  const schema = {
    type: 'object',
    description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec,
      status,
    },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, annotations: { 'flotilla.dev/crd-version': crdVersion } },
    spec: {
      group,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames,
        categories: [category],
      },
      scope: 'Namespaced',
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          subresources: { status: {}, ...(scale && { scale }) },
          ...(resource.columns && { additionalPrinterColumns: resource.columns }),
        },
      ],
    },
  };
}

function fleet(): CustomResource {
  const column = (name: string, type: string, jsonPath: string, priority = 0): object => ({
    name,
    type,
    jsonPath,
    ...(priority > 0 && { priority }),
  });
  const condition = (type: string): string => `.status.conditions[?(@.type=="${type}")].status`;
  return {
    group: 'flotilla.dev',
    version: 'v1alpha1',
    kind: 'Fleet',
    plural: 'fleets',
    shortNames: ['flt'],
    category: 'flotilla',
    description: 'A fleet of scraper shards, with the queriers and rulers over them.',
    spec: { ...structuralSchema(fleetSpecSchema), 'x-kubernetes-validations': fleetRules },
    status: { ...structuralSchema(fleetStatusSchema), required: undefined },
    scale: {
      specReplicasPath: '.spec.shards',
      statusReplicasPath: '.status.shards',
      labelSelectorPath: '.status.selector',
    },
    columns: [
      column('Shards', 'integer', '.status.shards'),
      column('Replicas', 'integer', '.status.replicas'),
      column('Ready', 'string', condition('Ready')),
      column('Targets', 'integer', '.status.targets'),
      column('Series', 'integer', '.status.headSeries'),
      column('Resize', 'string', '.status.resize.phase'),
      column('Degraded', 'string', condition('Degraded'), 1),
      column('Age', 'date', '.metadata.creationTimestamp'),
    ],
  };
}

/** What the types cannot say. */
const fleetRules = [
  {
    rule: '!has(self.scrapeClasses) || self.scrapeClasses.filter(c, has(c.default) && c.default).size() <= 1',
    message: 'scrapeClasses: at most one may be the default',
  },
  {
    rule: '(has(self.zones) && has(self.zones.local) && self.zones.local) == (has(oldSelf.zones) && has(oldSelf.zones.local) && oldSelf.zones.local)',
    message: 'zones.local: cannot be changed, since every target would move at once; make another Fleet',
  },
  {
    rule: '!has(self.zones) || !has(self.zones.local) || !self.zones.local || !has(oldSelf.zones) || self.zones.names == oldSelf.zones.names',
    message: 'zones.names: cannot be changed while zones.local is set',
  },
];

function monitors(): CustomResource[] {
  const monitor = (
    kind: string,
    plural: string,
    shortName: string,
    description: string,
    fields: { readonly spec: z.ZodType },
    version = 'v1',
  ): CustomResource => ({
    group: 'monitoring.coreos.com',
    version,
    kind,
    plural,
    shortNames: [shortName],
    category: 'prometheus-operator',
    description,
    spec: structuralSchema(fields.spec),
    status: bindingsStatus,
  });
  return [
    monitor('PodMonitor', 'podmonitors', 'pmon', 'Pods to scrape.', monitoring.podMonitorFields),
    monitor(
      'Probe',
      'probes',
      'prb',
      'Addresses or Ingresses to probe through a prober.',
      monitoring.probeFields,
    ),
    monitor(
      'PrometheusRule',
      'prometheusrules',
      'promrule',
      'Recording and alerting rules.',
      monitoring.prometheusRuleFields,
    ),
    monitor(
      'ScrapeConfig',
      'scrapeconfigs',
      'scfg',
      'Targets from any discovery.',
      monitoring.scrapeConfigFields,
      'v1alpha1',
    ),
    monitor(
      'ServiceMonitor',
      'servicemonitors',
      'smon',
      'Services whose endpoints are scraped.',
      monitoring.serviceMonitorFields,
    ),
  ];
}

const text = { type: 'string', minLength: 1 };

/** As the Prometheus operator has it, so that either can write it. */
const bindingsStatus: Schema = {
  type: 'object',
  description: 'Written by operators.',
  properties: {
    bindings: {
      type: 'array',
      description: 'What each workload that selects the object makes of it.',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['group', 'resource', 'name', 'namespace'],
      items: {
        type: 'object',
        required: ['group', 'name', 'namespace', 'resource'],
        properties: {
          group: { type: 'string', enum: ['monitoring.coreos.com'] },
          resource: {
            type: 'string',
            enum: ['prometheuses', 'prometheusagents', 'thanosrulers', 'alertmanagers'],
          },
          name: text,
          namespace: text,
          conditions: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['type'],
            items: {
              type: 'object',
              required: ['lastTransitionTime', 'status', 'type'],
              properties: {
                type: { type: 'string', minLength: 1, enum: ['Accepted'] },
                status: text,
                reason: { type: 'string' },
                message: { type: 'string' },
                lastTransitionTime: { type: 'string', format: 'date-time' },
                observedGeneration: { type: 'integer', format: 'int64' },
              },
            },
          },
        },
      },
    },
  },
};
