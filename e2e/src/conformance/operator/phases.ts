// Settings that the Prometheus object and our Fleet have under the same names, in three sets.

export interface Phase {
  readonly name: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Long, so that hardly anything is scraped while the test runs. */
const times = { scrapeInterval: '30m', scrapeTimeout: '15s', keepDroppedTargets: 1 };

export function phasesWith(certificateFolder: string): Phase[] {
  return [
    { name: 'plain', settings: times },
    {
      name: 'guarded',
      settings: { ...times, ...limits, ...enforcement, ...scrapeClasses(certificateFolder) },
    },
    { name: 'tenants', settings: { ...times, ...tenants } },
  ];
}

const limits = {
  scrapeInterval: '20m',
  sampleLimit: 700_000,
  enforcedSampleLimit: 500_000,
  targetLimit: 9000,
  enforcedTargetLimit: 8000,
  labelLimit: 50,
  enforcedLabelLimit: 60,
  labelNameLengthLimit: 500,
  enforcedLabelNameLengthLimit: 400,
  enforcedLabelValueLengthLimit: 700,
  enforcedBodySizeLimit: '64MB',
  enforcedKeepDroppedTargets: 2,
};

const enforcement = {
  enforcedNamespaceLabel: 'namespace',
  excludedFromEnforcement: [
    { resource: 'servicemonitors', namespace: 'monitoring', name: 'relabelings' },
    { resource: 'podmonitors', namespace: 'team-a' },
    { resource: 'scrapeconfigs', namespace: 'monitoring', name: 'static-relabeled' },
    { resource: 'probes', namespace: 'monitoring', name: 'probe-relabeled' },
  ],
  overrideHonorLabels: true,
  overrideHonorTimestamps: true,
  podTargetLabels: ['team', 'no-such', 'app.kubernetes.io/name'],
};

function scrapeClasses(folder: string) {
  const files = { caFile: `${folder}/tls.crt`, certFile: `${folder}/tls.crt`, keyFile: `${folder}/tls.key` };
  return {
    scrapeClasses: [
      {
        name: 'usual',
        default: true,
        fallbackScrapeProtocol: 'PrometheusText1.0.0',
        attachMetadata: { node: true },
        relabelings: [
          {
            sourceLabels: ['__meta_kubernetes_node_label_topology_kubernetes_io_zone'],
            targetLabel: 'class_zone',
          },
          { targetLabel: 'class', replacement: 'usual' },
        ],
        metricRelabelings: [{ action: 'drop', sourceLabels: ['__name__'], regex: 'class_.*' }],
      },
      { name: 'files', tlsConfig: { ...files, serverName: 'class.example', insecureSkipVerify: true } },
      {
        name: 'token',
        authorization: { credentials: { name: 'token', key: 'token' } },
        tlsConfig: { caFile: files.caFile },
      },
      { name: 'empty' },
    ],
  };
}

const tenants = {
  arbitraryFSAccessThroughSMs: { deny: true },
  ignoreNamespaceSelectors: true,
  serviceMonitorNamespaceSelector: { matchLabels: { tenant: 'even' } },
  podMonitorSelector: {
    matchExpressions: [{ key: 'kind', operator: 'In', values: ['podmonitor', 'other'] }],
  },
  podMonitorNamespaceSelector: {
    matchExpressions: [{ key: 'kept.by/whom', operator: 'NotIn', values: ['shop'] }],
  },
  probeSelector: null,
  scrapeConfigNamespaceSelector: null,
  ruleSelector: { matchLabels: { kind: 'prometheusrule' } },
  ruleNamespaceSelector: { matchLabels: { tenant: 'odd' } },
};
