// What the operator is put together from, on one machine and on Kubernetes.

import type { RequestHandler } from '@flotilla/chassis';
import type { FleetDiscovery } from './discovery/fleet-discovery.ts';
import type { OperatorOptions } from './operator.ts';

export interface Parts extends Pick<
  OperatorOptions,
  'workloads' | 'topologyStore' | 'operatorUrl' | 'isLeader' | 'reporter'
> {
  readonly discovery: FleetDiscovery;
  /** Lets scrapers, rulers and queriers of this fleet pass. */
  readonly authenticate: RequestHandler;
  /** Begins to stand for leader, where there may be several. */
  start(): Promise<void>;
  stop(): Promise<void>;
}
