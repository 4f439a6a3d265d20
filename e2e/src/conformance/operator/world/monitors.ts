// Every monitor and rule of the world.

import type { KubeObject } from '../kube-client.ts';
import { kubePrometheusMonitors } from './kube-prometheus.ts';
import { podMonitors } from './pod-monitors.ts';
import { probes } from './probes.ts';
import type { Random } from './random.ts';
import { randomMonitors } from './random-monitors.ts';
import { refusedMonitors } from './refused-monitors.ts';
import { prometheusRules } from './rules.ts';
import { scrapeClassMonitors } from './scrape-class-monitors.ts';
import { scrapeConfigs } from './scrape-configs.ts';
import type { FeedPlaces } from './scrape-configs.ts';
import { serviceMonitors } from './service-monitors.ts';
import { unsupportedMonitors } from './unsupported.ts';

export function monitorObjects(random: Random, places: FeedPlaces): KubeObject[] {
  return [
    ...serviceMonitors(places.folder),
    ...podMonitors(),
    ...probes(),
    ...scrapeConfigs(places),
    ...kubePrometheusMonitors(),
    ...refusedMonitors(),
    ...scrapeClassMonitors(),
    ...unsupportedMonitors(),
    ...prometheusRules(),
    ...randomMonitors(random),
  ];
}
