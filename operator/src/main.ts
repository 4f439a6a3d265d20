// The binary `operator`.

import { createHttpServer, internalTokenFile, requireToken, runMain } from '@flotilla/chassis';
import { AssignmentServer } from './assignment/assignment-routes.ts';
import { operatorFlags } from './config.ts';
import { FolderDiscovery } from './discovery/folder-discovery.ts';
import { Operator } from './operator.ts';
import { registerOperatorMetrics } from './status/operator-metrics.ts';
import { statusRoutes } from './status/status-routes.ts';
import { TopologyFolder } from './topology/topology-folder.ts';
import { ProcessWorkloads } from './workloads/local-workloads.ts';

await runMain('operator', operatorFlags, async ({ config, log, metrics, stopping, onShutdown }) => {
  const { data } = config;
  const server = createHttpServer({ name: 'Operator', config, log, metrics });
  const authenticate = requireToken(internalTokenFile(config));
  const operatorUrl = `http://${config['web.listen-address']}`;
  const discovery = new FolderDiscovery({ folders: config['source.folder'], log });
  const operator = new Operator({
    discovery,
    workloads: (fleet) =>
      new ProcessWorkloads({ data, fleet, operatorUrl, querierListen: config['querier.listen-address'] }),
    folder: new TopologyFolder(data),
    data,
    operatorUrl,
    log,
    onAssigned: (shards) => assignment.push(shards),
  });
  const assignment = new AssignmentServer({
    book: operator.book,
    heartbeats: operator.heartbeats,
    log,
    closing: stopping,
    authenticate,
    fleet: () => operator.fleetName,
    onHeartbeat: () => operator.wake(),
    secret: (ref) => discovery.secret(ref),
  });
  server.app.use('/assignment/v1', assignment.router);
  server.app.use('/api/v1', statusRoutes(operator, discovery, authenticate));
  registerOperatorMetrics(metrics, operator, discovery);
  onShutdown('http server', () => server.close());
  const { url } = await server.listen();
  log.info('listening', { url });
  onShutdown('reconcile loop', () => operator.stop());
  await operator.start();
  server.setReady(true);
});
