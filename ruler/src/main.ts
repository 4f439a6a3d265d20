// The binary `ruler`.

import {
  createHttpServer,
  createInternalClient,
  internalFetchHeaders,
  internalTokenFile,
  operatorTokenFile,
  runMain,
  sendData,
} from '@flotilla/chassis';
import { createStoreRouter, UptimeLog } from '@flotilla/store';
import { Tsdb } from '@flotilla/tsdb';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { rulerFlags } from './config.ts';
import { groupStatus } from './groups/rule-status.ts';
import { RuleFeed } from './groups/rule-feed.ts';
import { RuleFolder } from './groups/rule-folder.ts';
import { RulerCounters } from './groups/ruler-counters.ts';
import { Notifier } from './notify/notifier.ts';
import { QueryClient } from './query/query-client.ts';

await runMain('ruler', rulerFlags, async ({ config, log, metrics, stopping, onShutdown }) => {
  const path = config['storage.path'];
  const tokenFile = internalTokenFile(config);
  await mkdir(path, { recursive: true });
  const tsdb = await Tsdb.open({ dir: join(path, 'tsdb'), retentionMs: config['storage.retention'], log });
  onShutdown('database', () => tsdb.close(), 8000);
  tsdb.startMaintenance();
  const uptime = await UptimeLog.open(join(path, 'uptime'));
  uptime.startTimer();
  onShutdown('uptime', () => uptime.close());

  const notifier = new Notifier(config['alertmanager.url'], log, metrics);
  onShutdown('notifier', () => notifier.stop());
  const rules = new RuleFolder(config['rules.dir'], {
    tsdb,
    query: new QueryClient(config['query.url'], () => internalFetchHeaders(tokenFile)),
    notifier,
    counters: new RulerCounters(metrics),
    log,
    externalLabels: Object.fromEntries(config['external-label'].map(splitLabel)),
    externalUrl: config['web.external-url'] || config['query.external-url'],
    defaultIntervalMs: config['evaluation-interval'],
    outageToleranceMs: config['rules.alert.for-outage-tolerance'],
    gracePeriodMs: config['rules.alert.for-grace-period'],
    resendDelayMs: config['rules.alert.resend-delay'],
  });

  const server = createHttpServer({ name: 'Ruler', config, log, metrics });
  const groups = () => rules.evaluators().map(groupStatus);
  const name = path.split('/').at(-1) ?? `ruler-${config.replica}`;
  const alertmanagers = notifier.urls();
  const rulesOf = () => ({ replica: config.replica, groups: groups(), alertmanagers });
  const state = () => (stopping.aborted ? 'stopping' : 'ready');
  server.app.use(
    createStoreRouter({ tsdb, name, kind: 'ruler', uptime, rules: rulesOf, state, tokenFile, log, metrics }),
  );
  server.app.get('/api/v1/rules', (request, response) => sendData(request, response, { groups: groups() }));
  onShutdown('http server', () => server.close());
  const { url } = await server.listen();
  log.info('listening', { url });
  onShutdown('rule groups', () => rules.stop());
  if (config['operator.url'] !== '') {
    const client = createInternalClient({ tokenFile: operatorTokenFile(config), timeoutMs: 5000 });
    onShutdown('operator client', () => client.close());
    const operatorUrl = config['operator.url'].replace(/\/+$/, '');
    const feed = new RuleFeed({ client, operatorUrl, folder: config['rules.dir'], log });
    onShutdown('rule feed', () => feed.stop());
    await feed.start();
  }
  await rules.start();
  server.setReady(true);
});

/** name=value */
function splitLabel(text: string): [string, string] {
  const split = text.indexOf('=');
  if (split < 1) throw new Error(`flag --external-label: got "${text}", want name=value`);
  return [text.slice(0, split), text.slice(split + 1)];
}
