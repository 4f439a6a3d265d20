// OAuth 2, and what only the Prometheus operator does: discoveries of clouds.

import type { KubeObject } from '../kube-client.ts';
import { keyOf, monitor, monitored } from './monitor-object.ts';
import { oauth2 } from './refused-monitors.ts';

export function unsupportedMonitors(): KubeObject[] {
  const whole = {
    ...oauth2(),
    clientId: { configMap: keyOf('ca', 'id') },
    scopes: ['read', 'write'],
    endpointParams: { audience: 'metrics' },
    proxyUrl: 'http://proxy.example:3128',
    tlsConfig: { ca: { secret: keyOf('tls', 'tls.crt') }, serverName: 'token.example' },
  };
  const http = { port: 'http', oauth2: whole };
  const targets = { staticConfigs: [{ targets: ['a.example:1'] }] };
  const prober = { url: 'blackbox:9115' };
  return [
    monitor('ServiceMonitor', 'team-a', 'oauth2', { ...monitored, endpoints: [http] }),
    monitor('PodMonitor', 'team-a', 'oauth2', { ...monitored, podMetricsEndpoints: [http] }),
    monitor('Probe', 'team-a', 'oauth2', {
      prober,
      targets: { staticConfig: { static: ['a'] } },
      oauth2: oauth2(),
    }),
    monitor('ScrapeConfig', 'team-a', 'oauth2', { ...targets, oauth2: oauth2() }),
    monitor('ScrapeConfig', 'team-a', 'consul', { consulSDConfigs: [{ server: '127.0.0.1:9' }] }),
    monitor('ScrapeConfig', 'team-a', 'nomad', {
      ...targets,
      nomadSDConfigs: [{ server: 'http://127.0.0.1:9' }],
    }),
  ];
}
