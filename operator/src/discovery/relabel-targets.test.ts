import { expect, test } from '@jest/globals';
import { discover, manifest, urls } from './test-discovery.ts';

async function check(address: string, spec: object, ...want: readonly string[]): Promise<void> {
  const config = manifest('ScrapeConfig', 'one', {
    spec: { staticConfigs: [{ targets: [address] }], ...spec },
  });
  expect(await discover([config], urls)).toEqual(want);
}

test('URLs are the text that Prometheus makes', async () => {
  await check('app:80', {}, 'http://app:80/metrics');
  await check('app:443', { scheme: 'HTTPS' }, 'https://app:443/metrics');
  await check('app', { metricsPath: 'm' }, 'http://app/m');
  await check('[fd00:1::1]:80', {}, 'http://[fd00:1::1]:80/metrics');
  await check('fd00:1::204', {}, 'http://fd00:1::204/metrics');
  await check('app', { metricsPath: '/m?x=1', params: { q: ['a b'] } }, 'http://app/m%3Fx=1?q=a+b');
  await check('app', { metricsPath: "/a b'é(c)/%2F" }, 'http://app/a%20b%27%C3%A9%28c%29/%252F');
  await check(
    'app',
    { params: { target: ['http://*.example.com/'] } },
    'http://app/metrics?target=http%3A%2F%2F%2A.example.com%2F',
  );
  await check('app', { params: { b: ['2', '3'], a: ["~.-_'"] } }, 'http://app/metrics?a=~.-_%27&b=2&b=3');
});

test('relabeling may change path, scheme, parameters and times', async () => {
  const set = (targetLabel: string, replacement: string) => ({ targetLabel, replacement });
  const relabelings = [set('__param_b', 'x'), set('__scheme__', 'https'), set('__metrics_path__', '/p')];
  await check('app', { params: { b: ['2', '3'] }, relabelings }, 'https://app/p?b=x&b=3');
});

test('labels of a target tell its socket, and what becomes of its histograms', async () => {
  const spec = (labels: object): object => ({
    scrapeNativeHistograms: true,
    staticConfigs: [{ targets: ['app:80'], labels }],
  });
  const found = (labels: object): Promise<readonly unknown[]> =>
    discover([manifest('ScrapeConfig', 'one', { spec: spec(labels) })], (discovery) =>
      discovery
        .pools()
        .flatMap(({ targets }) => targets.map(({ unixSocket, histograms }) => [unixSocket, histograms])),
    );
  expect(await found({ __unix_socket__: '/run/a.sock' })).toEqual([['/run/a.sock', undefined]]);
  expect(await found({ __scrape_native_histograms__: 'T' })).toEqual([[undefined, undefined]]);
  const histograms = {
    convertClassicHistogramsToNhcb: true,
    alwaysScrapeClassicHistograms: false,
    scrapeNativeHistograms: false,
  };
  const labels = { __scrape_native_histograms__: '0', __convert_classic_histograms_to_nhcb__: 'true' };
  expect(await found(labels)).toEqual([[undefined, histograms]]);
  expect(await found({ __always_scrape_classic_histograms__: 'maybe' })).toEqual([]);
});
