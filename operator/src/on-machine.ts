// The parts of an operator of one machine: manifests in folders, workloads as processes, always the leader.

import { internalTokenFile, requireToken } from '@flotilla/chassis';
import type { Logger } from '@flotilla/chassis';
import type { OperatorConfig } from './config.ts';
import { FleetDiscovery } from './discovery/fleet-discovery.ts';
import { FolderSource } from './objects/folder-source.ts';
import type { Parts } from './parts.ts';
import { noReporter } from './status/reporter.ts';
import { TopologyFolder } from './topology/topology-folder.ts';
import { ProcessWorkloads } from './workloads/local-workloads.ts';

export function partsOnMachine(config: OperatorConfig, operatorUrl: () => string, log: Logger): Parts {
  const { data } = config;
  if (data === '') throw new Error('flag --data: missing, want a folder');
  const source = new FolderSource({ folders: config['source.folder'] });
  return {
    discovery: new FleetDiscovery({ source, log }),
    workloads: ({ name }) =>
      new ProcessWorkloads({
        data,
        fleet: name,
        operatorUrl: operatorUrl(),
        querierListen: config['querier.listen-address'],
      }),
    topologyStore: () => new TopologyFolder(data),
    operatorUrl,
    isLeader: () => true,
    reporter: noReporter,
    authenticate: requireToken(internalTokenFile(config)),
    start: async () => {},
    stop: async () => {},
  };
}
