// Proof: our OpenAPI description has what Prometheus's has, as far as we serve it, and our answers fit it.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startExporter, stopExporters } from '../../local/exporter.ts';
import type { Exporter } from '../../local/exporter.ts';
import { eventually, LocalFleet } from '../../local/fleet.ts';
import { fleetManifest, prometheusRule, scrapeConfig } from '../../local/manifests.ts';
import { Description, prometheusDescription } from './openapi-check.ts';

let exporter: Exporter;
let fleet: LocalFleet;
let own: Description;

beforeAll(async () => {
  exporter = await startExporter();
  fleet = await LocalFleet.start({
    'fleet.yaml': fleetManifest({ shards: 1, replicas: 1, rulers: 1 }),
    'app.yaml': scrapeConfig('app', [exporter.address]),
    'rules.yaml': prometheusRule('proof', '        - alert: AlwaysOn\n          expr: vector(1)\n'),
  });
  own = new Description(await (await fetch(`${fleet.url}/api/v1/openapi.yaml`)).text());
}, 120_000);

afterAll(async () => {
  await fleet.remove();
  await stopExporters([exporter]);
}, 60_000);

test('paths and parameters of Prometheus are described', () => {
  /** Writing, deleting, and what is experimental. */
  const notOurs = /^\/(?:admin|write|otlp|read$|search)/;
  const paths = prometheusDescription.paths.filter((path) => !notOurs.test(path));
  expect(own.paths).toEqual(expect.arrayContaining(paths));
  for (const path of paths) {
    const ours = own.parametersOf(path);
    expect({ path, parameters: ours }).toEqual({
      path,
      parameters: expect.arrayContaining([...prometheusDescription.parametersOf(path)]),
    });
  }
});

test.each([
  ['/query', 'query=up'],
  ['/query', 'query=up[1m]&stats=all'],
  ['/query', 'query=('],
  ['/query_range', 'query=up&start=1&end=2&step=1'],
  ['/query_exemplars', 'query=up'],
  ['/parse_query', 'query=up'],
  ['/format_query', 'query=up'],
  ['/series', 'match[]=up'],
  ['/labels', ''],
  ['/label/{name}/values', ''],
  ['/metadata', ''],
  ['/targets', ''],
  ['/targets/metadata', ''],
  ['/targets/relabel_steps', 'scrapePool=scrapeConfig/default/app&labels={}'],
  ['/scrape_pools', ''],
  ['/scrape_pools/config', 'scrapePool=scrapeConfig/default/app'],
  ['/explain', 'q=app'],
  ['/rules', ''],
  ['/alerts', ''],
  ['/alertmanagers', ''],
  ['/fleet', ''],
  ['/status/topology', ''],
  ['/status/tsdb', ''],
  ['/status/config', ''],
  ['/status/runtimeinfo', ''],
  ['/status/buildinfo', ''],
  ['/status/flags', ''],
  ['/status/tsdb/blocks', ''],
  ['/status/walreplay', ''],
  ['/status/self_metrics', ''],
  ['/features', ''],
  ['/notifications', ''],
])(
  '%s?%s',
  async (path, query) => {
    await eventually('up is there', 60_000, async () => {
      const { body } = await fleet.get('/api/v1/query?query=up');
      return JSON.stringify(body).includes('"metric"') ? true : undefined;
    });
    const { status, faults } = await own.check(fleet.url, path, query);
    expect(status).toBe(query === 'query=(' ? 400 : 200);
    expect(faults).toEqual([]);
  },
  90_000,
);
