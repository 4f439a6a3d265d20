// Proof: Prometheus's OpenAPI description fits what a whole fleet answers of its targets, rules and alerts, beside what we add.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startExporter, stopExporters } from '../../local/exporter.ts';
import type { Exporter } from '../../local/exporter.ts';
import { eventually, LocalFleet } from '../../local/fleet.ts';
import { fleetManifest, prometheusRule, scrapeConfig } from '../../local/manifests.ts';
import { prometheusDescription } from './openapi-check.ts';

const rules = `        - alert: AlwaysOn
          expr: vector(1)
          annotations:
            summary: 'value {{ $value }}'
        - record: app:up:sum
          expr: sum(up)
`;
/** Where a target is, and how its replicas fare. */
const addedToTargets = ['shard', 'slot', 'replicas'].map(
  (name) => `.data.activeTargets[].${name}: is not in the description`,
);

let exporter: Exporter;
let fleet: LocalFleet;

beforeAll(async () => {
  exporter = await startExporter();
  fleet = await LocalFleet.start({
    'fleet.yaml': fleetManifest({ shards: 1, replicas: 2, rulers: 1 }),
    'app.yaml': scrapeConfig('app', [exporter.address]),
    'rules.yaml': prometheusRule('proof', rules),
  });
}, 120_000);

afterAll(async () => {
  await fleet.remove();
  await stopExporters([exporter]);
}, 60_000);

async function dataText(path: string): Promise<string> {
  return (await fetch(`${fleet.url}/api/v1${path}`)).text();
}

test.each([
  ['/targets', 'activeTargets":[{'],
  ['/rules', '"AlwaysOn"'],
  ['/rules?type=alert&exclude_alerts=true', '"alerts":null'],
  ['/alerts', '"alertname":"AlwaysOn"'],
  ['/scrape_pools', '"scrapePools":["'],
  ['/targets/relabel_steps?scrapePool=scrapeConfig/default/app&labels={}', '"steps":['],
  ['/scrape_pools/config?scrapePool=scrapeConfig/default/app', 'job_name: scrapeConfig/default/app'],
  ['/targets/metadata', '"type":"'],
  ['/metadata', '"type":"'],
])(
  '%s',
  async (path, content) => {
    await eventually(`${path} has content`, 60_000, async () =>
      (await dataText(path)).includes(content) ? true : undefined,
    );
    const [name = '', query = ''] = path.split('?', 2);
    const { status, faults } = await prometheusDescription.check(fleet.url, name, query);
    expect(status).toBe(200);
    expect(faults.filter((fault) => !addedToTargets.includes(fault))).toEqual([]);
  },
  90_000,
);

test.each([
  ['/targets/relabel_steps', 'scrapePool=none&labels={}'],
  ['/scrape_pools/config', 'scrapePool=none'],
])('%s refuses a pool that is not there', async (path, query) => {
  expect(await prometheusDescription.check(fleet.url, path, query)).toEqual({ status: 400, faults: [] });
});
