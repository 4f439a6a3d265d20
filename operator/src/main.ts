// The binary `operator`.

import { createHttpServer, createInternalClient, runMain } from '@flotilla/chassis';
import { AssignmentServer } from './assignment/assignment-routes.ts';
import { operatorFlags } from './config.ts';
import { partsOnCluster } from './on-cluster.ts';
import { partsOnMachine } from './on-machine.ts';
import { Operator } from './operator.ts';
import { rulesRoute } from './rules/rules-route.ts';
import { registerOperatorMetrics } from './status/operator-metrics.ts';
import { statusRoutes } from './status/status-routes.ts';
import { readersBehind } from './topology/readers.ts';

await runMain('operator', operatorFlags, async ({ config, log, metrics, stopping, onShutdown }) => {
  if (config.kubernetes === config['source.folder'].length > 0)
    throw new Error('flags --kubernetes and --source.folder: want one of them');
  const operatorUrl = (): string => config['operator.url'] || `http://${config['web.listen-address']}`;
  const parts = config.kubernetes
    ? await partsOnCluster({ config, operatorUrl, log, metrics, onLeadership: () => operator.wake() })
    : partsOnMachine(config, operatorUrl, log);
  onShutdown('parts', () => parts.stop());
  const server = createHttpServer({ name: 'Operator', config, log, metrics });
  const client = createInternalClient({ timeoutMs: 3000 });
  onShutdown('reader client', () => client.close());
  const operator: Operator = new Operator({
    ...parts,
    readersBehind: (readers, epoch) => readersBehind(client, readers, epoch),
    log,
    onAssigned: (shards) => assignment.push(shards),
  });
  const { authenticate, discovery } = parts;
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
  server.app.use(
    '/rules/v1',
    rulesRoute(() => operator.ruleFiles(), authenticate),
  );
  server.app.use('/api/v1', statusRoutes(operator, discovery, authenticate));
  registerOperatorMetrics(metrics, operator, discovery);
  onShutdown('http server', () => server.close());
  const { url } = await server.listen();
  log.info('listening', { url });
  onShutdown('reconcile loop', () => operator.stop());
  await parts.start();
  await operator.start();
  server.setReady(true);
});
