// The CustomResourceDefinitions: our own, and the five of monitoring.coreos.com that are read here, for clusters that do not have them.

import { z } from 'zod';
import { fleetSpecSchema } from '../../discovery/fleet-spec.ts';
import { fleetStatusSchema } from '../fleet-status-schema.ts';
import * as monitoring from '../monitoring-schema.ts';
import { bindingsStatusSchema } from './bindings-status-schema.ts';
import { structuralSchema } from './structural-schema.ts';
import type { Schema } from './structural-schema.ts';

/** Raised with each change of any of them: the operator brings older ones up to date. */
const crdVersion = '1';
const chart = 'charts/flotilla';

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
  /** In the repository. The chart has copies, not links: Helm says each link that it meets. */
  readonly folders: readonly string[];
  readonly crd: object;
}

/** In the order of their files. */
export function crdFiles(): CrdFile[] {
  return [fleet(), ...monitors()].map((resource) => ({
    file: `${resource.group}_${resource.plural}.yaml`,
    folders: ['crds', resource.kind === 'Fleet' ? `${chart}/crds` : `${chart}/charts/monitoring-crds/crds`],
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
      apiVersion: { type: 'string', description: 'Group and version of this form of the object.' },
      kind: { type: 'string', description: 'Kind of the object.' },
      metadata: { type: 'object' },
      spec: { description: 'What is wanted.', ...spec },
      status: { description: 'What is; written by operators.', ...status },
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
    spec: structuralSchema(fleetSpecSchema),
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
    status: structuralSchema(bindingsStatusSchema),
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
