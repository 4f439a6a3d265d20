// The parts of an operator on Kubernetes: objects from the API server, workloads as StatefulSets and Deployments, one leader of
// several operators by Lease, callers known by their ServiceAccounts.

import { collectGarbageAfter, type Logger, type Registry } from '@flotilla/chassis';
import { hostname } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { ApiClient } from './cluster/api-client.ts';
import { ClusterSource } from './cluster/cluster-source.ts';
import { EventRecorder } from './cluster/event-recorder.ts';
import { LeaderElection } from './cluster/leader-election.ts';
import { requireServiceAccount } from './cluster/token-review.ts';
import { upgradeCrds } from './cluster/upgrade-crds.ts';
import type { OperatorConfig } from './config.ts';
import { FleetDiscovery } from './discovery/fleet-discovery.ts';
import type { Parts } from './parts.ts';
import { ClusterReporter } from './status/cluster-reporter.ts';
import { TopologyConfigMaps } from './topology/topology-config-maps.ts';
import { ClusterWorkloads } from './workloads/cluster-workloads.ts';

/** The audience of the tokens that the parts of a fleet show the operator. */
const tokenAudience = 'flotilla-operator';

export interface ClusterPartsOptions {
  readonly config: OperatorConfig;
  readonly operatorUrl: () => string;
  readonly log: Logger;
  readonly metrics: Registry;
  readonly onLeadership: () => void;
}

export async function partsOnCluster(options: ClusterPartsOptions): Promise<Parts> {
  // Most of the heap are objects that stay: room for garbage in proportion to them would cost more than collecting it.
  setFlagsFromString('--heap-growing-percent=15');
  const { config, operatorUrl, log, metrics } = options;
  const { namespace, namespaces } = config;
  const identity = config.identity || hostname();
  const client = await ApiClient.open({
    kubeconfig: config.kubeconfig,
    userAgent: 'flotilla-operator',
    log,
    metrics,
  });
  const source = new ClusterSource({ client, log, namespaces, metrics });
  collectGarbageAfter(() => source.synced());
  const election = new LeaderElection({
    client,
    namespace,
    name: config['leader-election.lease'],
    identity,
    log,
    onChange: (isLeader) => {
      if (isLeader && config['crds.dir'] !== '') void upgradeCrds(client, config['crds.dir'], log);
      options.onLeadership();
    },
  });
  const events = new EventRecorder({
    client,
    namespace,
    reportingController: 'flotilla.dev/operator',
    identity,
    log,
  });
  return {
    discovery: new FleetDiscovery({ source, log, namespace }),
    workloads: ({ name }) =>
      new ClusterWorkloads({ client, fleet: name, place: placeOf(config, operatorUrl()), log }),
    topologyStore: ({ name }) => new TopologyConfigMaps(client, namespace, name),
    operatorUrl,
    isLeader: () => election.isLeader,
    reporter: new ClusterReporter({ client, events, log, isLeader: () => election.isLeader }),
    authenticate: requireServiceAccount({ client, audience: tokenAudience, users: usersOf(config), log }),
    start: async () => election.start(),
    stop: async () => {
      await election.stop();
      await client.close();
    },
  };
}

function placeOf(config: OperatorConfig, operatorUrl: string) {
  return {
    namespace: config.namespace,
    image: config.image,
    imagePullPolicy: config['image.pull-policy'],
    operatorUrl,
    serviceAccounts: {
      scraper: config['scraper.service-account'],
      querier: config['querier.service-account'],
      ruler: config['ruler.service-account'],
    },
  };
}

function usersOf(config: OperatorConfig): ReadonlySet<string> {
  const names = (['scraper', 'querier', 'ruler'] as const).map((part) => config[`${part}.service-account`]);
  return new Set(names.map((name) => `system:serviceaccount:${config.namespace}:${name}`));
}
