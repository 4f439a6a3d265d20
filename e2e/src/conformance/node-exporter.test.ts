// Proof: a real node_exporter is scraped, and the queries of a node_exporter dashboard all return data.
// The binary's path comes in FLOTILLA_NODE_EXPORTER; scripts/conformance.mjs builds it from its pinned Go module.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '@flotilla/chassis';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, LocalFleet } from '../local/fleet.ts';
import { fleetManifest, scrapeConfig } from '../local/manifests.ts';

/** What dashboards of node_exporter commonly ask, over the collectors that any Linux machine has. */
const queries = [
  'up{job="node"}',
  'node_load1{job="node"}',
  'count(node_cpu_seconds_total{job="node",mode="idle"})',
  '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[10s]))',
  'sum by (mode) (irate(node_cpu_seconds_total[10s])) / on () group_left count(node_cpu_seconds_total{mode="idle"})',
  '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes',
  'node_memory_MemTotal_bytes - node_memory_MemFree_bytes - node_memory_Buffers_bytes - node_memory_Cached_bytes',
  'max by (instance) (node_filesystem_size_bytes - node_filesystem_avail_bytes)',
  '100 - node_filesystem_avail_bytes{fstype!="tmpfs"} / node_filesystem_size_bytes * 100',
  'sum(rate(node_network_receive_bytes_total{device!~"veth.*"}[10s])) by (device)',
  'rate(node_disk_io_time_seconds_total[10s])',
  'sum without (device) (rate(node_disk_read_bytes_total[10s]))',
  'node_time_seconds - node_boot_time_seconds',
  'count by (job) ({__name__=~"node_.+"})',
  'label_replace(node_uname_info, "kernel", "$1", "release", "(.*?)-.*")',
  'topk(3, node_scrape_collector_duration_seconds)',
  'avg_over_time(node_load1[10s]) * on (instance) group_left (nodename) node_uname_info',
  'predict_linear(node_filesystem_avail_bytes[10s], 3600)',
  'quantile_over_time(0.9, node_load1[10s])',
  'absent(node_no_such_metric{job="node"})',
];

let exporter: ChildProcess;
let fleet: LocalFleet;

beforeAll(async () => {
  const binary = process.env['FLOTILLA_NODE_EXPORTER'];
  if (binary === undefined) throw new Error('FLOTILLA_NODE_EXPORTER is not set: run `npm run conformance`');
  const port = await freePort();
  exporter = spawn(binary, [`--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' });
  fleet = await LocalFleet.start({
    'fleet.yaml': fleetManifest({ shards: 2, replicas: 2, rulers: 0 }),
    'node.yaml': scrapeConfig('node', [`127.0.0.1:${port}`]),
  });
  await eventually('node_exporter is up', 30_000, async () => {
    const answer = await fleet.query('up{job="node"} == 1');
    return answer.body.data.result.length === 1 ? true : undefined;
  });
  await sleep(6000);
}, 120_000);

afterAll(async () => {
  exporter.kill('SIGKILL');
  await fleet.remove();
}, 30_000);

test.each(queries)('%s returns data', async (expr) => {
  const answer = await fleet.query(expr);
  expect([answer.body.error, answer.body.warnings]).toEqual([undefined, undefined]);
  expect(answer.body.data.result.length).toBeGreaterThan(0);
  const nowSeconds = Math.floor(Date.now() / 1000);
  const range = await fleet.get(
    `/api/v1/query_range?query=${encodeURIComponent(expr)}&start=${nowSeconds - 5}&end=${nowSeconds}&step=1`,
  );
  expect(range.body.data.result.length).toBeGreaterThan(0);
});
