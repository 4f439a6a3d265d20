import { expect, test } from '@jest/globals';
import { discover, manifest } from './test-discovery.ts';

const secret = manifest('Secret', 'login', { stringData: { user: 'admin', password: 'hunter2' } });

test('a job shows as the scrape_config that it is, without its secrets', async () => {
  const key = (name: string): object => ({ name: 'login', key: name });
  const config = manifest('ScrapeConfig', 'app', {
    spec: {
      staticConfigs: [{ targets: ['app:80'] }],
      scrapeInterval: '15s',
      scrapeTimeout: '7s',
      params: { module: ['http_2xx'] },
      sampleLimit: 500,
      basicAuth: { username: key('user'), password: key('password') },
      tlsConfig: { serverName: 'app.shop', insecureSkipVerify: true },
      proxyUrl: 'http://someone:hunter2@proxy:3128',
      relabelings: [{ targetLabel: 'team', replacement: 'shop' }],
      metricRelabelings: [{ sourceLabels: ['__name__'], regex: 'go_.*', action: 'drop' }],
    },
  });
  const yaml = await discover([secret, config], (found) => found.scrapeConfig('scrapeConfig/shop/app'));
  expect(yaml).toBe(want);
});

const want = `job_name: scrapeConfig/shop/app
honor_timestamps: true
track_timestamps_staleness: false
params:
  module:
    - http_2xx
scrape_interval: 15s
scrape_timeout: 7s
scrape_native_histograms: false
always_scrape_classic_histograms: false
convert_classic_histograms_to_nhcb: false
metrics_path: /metrics
scheme: http
enable_compression: true
sample_limit: 500
basic_auth:
  username: <Secret shop/login/user>
  password: <Secret shop/login/password>
tls_config:
  server_name: app.shop
  insecure_skip_verify: true
proxy_url: http://someone:xxxxx@proxy:3128/
follow_redirects: true
relabel_configs:
  - source_labels:
      - job
    target_label: __tmp_prometheus_job_name
    action: replace
  - target_label: team
    replacement: shop
    action: replace
metric_relabel_configs:
  - source_labels:
      - __name__
    regex: go_.*
    action: drop
`;

test('a job that is not there has none', async () => {
  expect(await discover([], (found) => found.scrapeConfig('scrapeConfig/shop/app'))).toBeUndefined();
});
