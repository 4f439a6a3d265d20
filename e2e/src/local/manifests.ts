// Manifests of the fleets under test.

export interface FleetOptions {
  readonly shards?: number;
  readonly replicas?: number;
  readonly rulers?: number;
  readonly alertmanagers?: readonly string[];
}

/** A Fleet with intervals of one second. */
export function fleetManifest({
  shards = 2,
  replicas = 2,
  rulers = 1,
  alertmanagers = [],
}: FleetOptions = {}): string {
  const urls = alertmanagers.map((url) => `\n      - url: ${url}`).join('');
  return `apiVersion: flotilla.dev/v1alpha1
kind: Fleet
metadata:
  name: main
spec:
  shards: ${shards}
  replicas: ${replicas}
  scrapeInterval: 1s
  evaluationInterval: 1s
  retention: 1d
  serviceMonitorSelector: {}
  podMonitorSelector: {}
  probeSelector: {}
  scrapeConfigSelector: {}
  ruleSelector: {}
  ruler:
    replicas: ${rulers}
    alertmanagers:${urls === '' ? ' []' : urls}
`;
}

export function scrapeConfig(name: string, addresses: readonly string[], extra = ''): string {
  return `apiVersion: monitoring.coreos.com/v1alpha1
kind: ScrapeConfig
metadata:
  name: ${name}
spec:
  jobName: ${name}
  staticConfigs:
    - targets: [${addresses.map((address) => `"${address}"`).join(', ')}]
${extra}`;
}

export function prometheusRule(name: string, rules: string): string {
  return `apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: ${name}
spec:
  groups:
    - name: ${name}
      interval: 1s
      rules:
${rules}`;
}
