import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { EventRecorder } from '../cluster/event-recorder.ts';
import { TestApiServer, testLog } from '../cluster/test-api-server.ts';
import type { SelectedObject } from '../discovery/findings.ts';
import { testFleet } from '../workloads/test-fleet.ts';
import { ClusterReporter } from './cluster-reporter.ts';
import type { FleetStatus } from './fleet-status.ts';

const fleet = testFleet();
const status: FleetStatus = {
  fleet: 'main',
  conditions: [],
  shards: [],
  resize: { phase: 'stable', sinceMs: 0, waitingFor: '' },
  epochs: [{ id: 1, shards: 1, sinceMs: 0 }],
  refused: [],
  events: [],
};
const monitors = '/apis/monitoring.coreos.com/v1/namespaces/shop/servicemonitors';
const names = Array.from({ length: 20 }, (_, index) => `m${index}`);

let server: TestApiServer;
let leads: boolean;
let reporter: ClusterReporter;
beforeEach(async () => {
  server = new TestApiServer();
  leads = true;
  const client = await server.open();
  const events = new EventRecorder({
    client,
    namespace: 'monitoring',
    reportingController: 'flotilla.dev/operator',
    identity: 'operator-0',
    log: testLog,
  });
  reporter = new ClusterReporter({ client, events, log: testLog, isLeader: () => leads });
});
afterEach(() => server.close());

function selected(reason: string): SelectedObject[] {
  const common = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    namespace: 'shop',
    uid: 'u',
  };
  return names.map((name) => ({ ...common, name, generation: 1, accepted: reason === '', reason }));
}

/** Verdicts as they were written, each once. */
function verdicts(): string[] {
  const written = names.map((name) => server.store.get(`${monitors}/${name}/status`)?.['status']);
  return [
    ...new Set(written.map((one) => /"status":"(\w+)"/.exec(JSON.stringify(one) ?? '')?.[1] ?? 'none')),
  ];
}

function count(verb: string): number {
  return server.requests.filter((line) => line.startsWith(verb) && line.includes('/servicemonitors/')).length;
}

test('verdicts are written once, and again when they change', async () => {
  const refused = selected('no such class');
  await reporter.report(fleet, status, refused);
  expect(verdicts()).toEqual(['False']);
  const before = count('PATCH');
  await reporter.report(fleet, status, [...refused]);
  expect([before, count('PATCH')]).toEqual([20, 20]);
  await reporter.report(fleet, status, selected(''));
  expect(verdicts()).toEqual(['True']);
});

test('what one who lost the lead had no time to write is written when it leads again', async () => {
  const accepted = selected('');
  await reporter.report(fleet, status, selected('no such class'));
  server.refuse = ({ line }) => {
    if (line.startsWith('PATCH') && count('PATCH') > 28) leads = false;
    return undefined;
  };
  await reporter.report(fleet, status, accepted);
  expect(verdicts()).toEqual(['True', 'False']);
  server.refuse = () => undefined;
  leads = true;
  await reporter.report(fleet, status, accepted);
  expect(verdicts()).toEqual(['True']);
});

test('what is not selected any more keeps what others say of it', async () => {
  const own = {
    group: 'monitoring.coreos.com',
    resource: 'prometheuses',
    name: 'main',
    namespace: fleet.namespace,
  };
  const other = { ...own, name: 'other' };
  server.store.put(`${monitors}/m0`, { metadata: { name: 'm0' }, status: { bindings: [own, other] } });
  server.store.put(`${monitors}/m0/status`, { metadata: { name: 'status' } });
  await reporter.report(fleet, status, selected(''));
  await reporter.report(fleet, status, []);
  expect(server.store.get(`${monitors}/m0/status`)?.['status']).toEqual({ bindings: [other] });
});
