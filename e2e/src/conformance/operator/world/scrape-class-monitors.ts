// Monitors that name scrape classes, and what of their own the classes do and do not fill in.

import type { KubeObject } from '../kube-client.ts';
import { keyOf, monitor, monitored, tlsSecret } from './monitor-object.ts';
import type { Fields } from './monitor-object.ts';

const http: Fields = { port: 'http' };
const targets = { staticConfigs: [{ targets: ['a.example:1'] }] };
const probed = { prober: { url: 'blackbox:9115' }, targets: { staticConfig: { static: ['a.example'] } } };

function service(
  name: string,
  scrapeClass: string,
  endpoint: Fields = {},
  more: Fields = {},
  namespace = 'monitoring',
): KubeObject {
  const spec = { ...monitored, ...more, scrapeClass, endpoints: [{ ...http, ...endpoint }] };
  return monitor('ServiceMonitor', namespace, `class-${name}`, spec);
}

function pod(name: string, scrapeClass: string, endpoint: Fields = {}): KubeObject {
  const spec = { ...monitored, scrapeClass, podMetricsEndpoints: [{ ...http, ...endpoint }] };
  return monitor('PodMonitor', 'team-a', `class-${name}`, spec);
}

export function scrapeClassMonitors(): KubeObject[] {
  const relabelings = [
    { sourceLabels: ['class'], targetLabel: 'class', replacement: 'own-$1', regex: '(.*)' },
  ];
  const server = { serverName: 'own.example' };
  return [
    service('files', 'files'),
    service('files-own-server', 'files', { tlsConfig: server }),
    service('files-own-ca', 'files', { tlsConfig: { ca: { secret: keyOf('tls', 'ca.crt') } } }),
    service('files-own-pair', 'files', { tlsConfig: tlsSecret }),
    service('files-empty', 'files', { tlsConfig: {} }),
    service('token', 'token'),
    service('token-other-namespace', 'token', {}, {}, 'team-b'),
    service('token-type', 'token', { authorization: { type: 'Own', credentials: keyOf('token', 'token') } }),
    service('empty', 'empty', { relabelings }),
    service('usual', 'usual', {
      relabelings,
      metricRelabelings: [{ action: 'keep', sourceLabels: ['a'], regex: 'b' }],
    }),
    service(
      'usual-own',
      'usual',
      {},
      { attachMetadata: { node: false }, fallbackScrapeProtocol: 'OpenMetricsText0.0.1' },
    ),
    pod('files', 'files', { tlsConfig: { insecureSkipVerify: false } }),
    pod('token', 'token'),
    pod('usual', 'usual', { relabelings }),
    monitor('Probe', 'monitoring', 'class-files', { ...probed, scrapeClass: 'files' }),
    monitor('Probe', 'team-b', 'class-token', { ...probed, scrapeClass: 'token', tlsConfig: server }),
    monitor('ScrapeConfig', 'monitoring', 'class-files', {
      ...targets,
      scrapeClass: 'files',
      tlsConfig: tlsSecret,
    }),
    monitor('ScrapeConfig', 'team-c', 'class-token', { ...targets, scrapeClass: 'token', jobName: 'classy' }),
    monitor('ScrapeConfig', 'monitoring', 'class-usual', { ...targets, scrapeClass: 'usual', relabelings }),
  ];
}
