// Proof: a real Alertmanager gets the alert of both rulers and shows it once; `for` goes on over a ruler's restart.
// Needs the Debian package prometheus-alertmanager; without it the test is skipped and counted.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '@flotilla/chassis';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startExporter, stopExporters } from './exporter.ts';
import type { Exporter } from './exporter.ts';
import { eventually, LocalFleet } from './fleet.ts';
import { fleetManifest, prometheusRule, scrapeConfig } from './manifests.ts';

const binary = '/usr/bin/prometheus-alertmanager';
const installed = existsSync(binary);
const proof = installed ? test : test.skip;
const reason = installed ? '' : ` (skipped: ${binary} is not installed)`;

const rules = `        - alert: AlwaysOn
          expr: vector(1)
          labels:
            severity: info
          annotations:
            summary: 'value {{ $value | humanize }}'
        - alert: SlowToFire
          expr: up{job="app"} == 1
          for: 25s
`;

interface ReceivedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
}

let folder: string;
let exporter: Exporter;
let alertmanager: ChildProcess;
let alertmanagerUrl: string;
let fleet: LocalFleet;

beforeAll(async () => {
  if (!installed) return;
  folder = mkdtempSync(join(tmpdir(), 'flotilla-am-'));
  const config = join(folder, 'alertmanager.yml');
  writeFileSync(config, 'route:\n  receiver: none\nreceivers:\n  - name: none\n');
  const port = await freePort();
  alertmanagerUrl = `http://127.0.0.1:${port}`;
  const listen = [`--web.listen-address=127.0.0.1:${port}`, '--cluster.listen-address='];
  alertmanager = spawn(binary, [`--config.file=${config}`, `--storage.path=${folder}`, ...listen], {
    stdio: 'ignore',
  });
  exporter = await startExporter();
  fleet = await LocalFleet.start({
    'fleet.yaml': fleetManifest({ shards: 1, replicas: 1, rulers: 2, alertmanagers: [alertmanagerUrl] }),
    'app.yaml': scrapeConfig('app', [exporter.address]),
    'rules.yaml': prometheusRule('proof', rules),
  });
}, 120_000);

afterAll(async () => {
  if (!installed) return;
  await fleet.remove();
  await stopExporters([exporter]);
  alertmanager.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

async function received(name: string): Promise<readonly ReceivedAlert[]> {
  const response = await fetch(`${alertmanagerUrl}/api/v2/alerts`, { signal: AbortSignal.timeout(5000) });
  const alerts = (await response.json()) as readonly ReceivedAlert[];
  return alerts.filter(({ labels }) => labels['alertname'] === name);
}

async function sentBy(ruler: string): Promise<number> {
  const answer = await fleet.status();
  const store = answer.topology.stores.find(({ name }) => name === ruler);
  const text = await (await fetch(`${store!.url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith('prometheus_notifications_sent_total{'));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

async function activeSince(name: string): Promise<string | undefined> {
  const answer = await fleet.get('/api/v1/alerts');
  const { alerts } = answer.body.data as unknown as {
    alerts: { labels: Record<string, string>; activeAt: string }[];
  };
  return alerts.find(({ labels }) => labels['alertname'] === name)?.activeAt;
}

proof(
  `both rulers send an alert and Alertmanager shows it once${reason}`,
  async () => {
    const alerts = await eventually('the alert arrives', 30_000, async () => {
      const found = await received('AlwaysOn');
      const senders = await Promise.all(['ruler-main-0', 'ruler-main-1'].map(sentBy));
      return found.length > 0 && senders.every((count) => count > 0) ? found : undefined;
    });
    expect(alerts).toHaveLength(1);
    expect(alerts[0]?.labels).toEqual({ alertname: 'AlwaysOn', severity: 'info' });
    expect(alerts[0]?.annotations).toEqual({ summary: 'value 1' });
    const { body } = await fleet.get('/api/v1/alertmanagers');
    const activeAlertmanagers = [{ url: `${alertmanagerUrl}/api/v2/alerts` }];
    expect(body.data).toEqual({ activeAlertmanagers, droppedAlertmanagers: [] });
  },
  60_000,
);

proof(
  `after a restart of both rulers the time of \`for\` continues${reason}`,
  async () => {
    const pendingSince = await eventually('the alert is pending', 20_000, () => activeSince('SlowToFire'));
    await sleep(12_000);
    fleet.kill('ruler-main-0');
    fleet.kill('ruler-main-1');
    const [alert] = await eventually('the alert fires', 60_000, async () => {
      const found = await received('SlowToFire');
      return found.length > 0 ? found : undefined;
    });
    const waitedMs = Date.parse(alert!.startsAt) - Date.parse(pendingSince);
    expect(waitedMs).toBeGreaterThanOrEqual(24_000);
    expect(waitedMs).toBeLessThan(36_000);
  },
  120_000,
);
