// Settings of jobs in both forms: a Prometheus file's and a ScrapeConfig's.

interface Job {
  readonly file: object;
  readonly object: object;
}

const relabelings = [
  { source: ['__name__'], regex: '(go|process)_.*', action: 'drop' },
  { source: ['__name__', 'le'], regex: '(.+);(.+)', target: 'bound', replacement: '$1/$2' },
  { source: ['__name__'], regex: '(.*)_seconds(.*)', target: '__name__', replacement: '${1}_s${2}' },
  { regex: 'revision|goversion', action: 'labeldrop' },
  { source: ['__name__', 'instance'], target: 'spread', modulus: 5, action: 'hashmod' },
];

const jobs = {
  plain: { file: {}, object: {} },
  native: {
    file: { scrape_native_histograms: true },
    object: { scrapeNativeHistograms: true },
  },
  both: {
    file: { scrape_native_histograms: true, always_scrape_classic_histograms: true },
    object: { scrapeNativeHistograms: true, scrapeClassicHistograms: true },
  },
  convert: {
    file: { convert_classic_histograms_to_nhcb: true },
    object: { convertClassicHistogramsToNHCB: true },
  },
  convertBoth: {
    file: {
      scrape_native_histograms: true,
      convert_classic_histograms_to_nhcb: true,
      always_scrape_classic_histograms: true,
    },
    object: {
      scrapeNativeHistograms: true,
      convertClassicHistogramsToNHCB: true,
      scrapeClassicHistograms: true,
    },
  },
  fewBuckets: {
    file: { scrape_native_histograms: true, native_histogram_bucket_limit: 4 },
    object: { scrapeNativeHistograms: true, nativeHistogramBucketLimit: 4 },
  },
  legacy: {
    file: { metric_name_validation_scheme: 'legacy' },
    object: { nameValidationScheme: 'Legacy' },
  },
  fewSamples: { file: { sample_limit: 20 }, object: { sampleLimit: 20 } },
  fewLabels: {
    file: { label_limit: 6, label_name_length_limit: 20, label_value_length_limit: 40 },
    object: { labelLimit: 6, labelNameLengthLimit: 20, labelValueLengthLimit: 40 },
  },
  honored: { file: { honor_labels: true }, object: { honorLabels: true } },
  untimed: { file: { honor_timestamps: false }, object: { honorTimestamps: false } },
  tracked: { file: { track_timestamps_staleness: true }, object: { trackTimestampsStaleness: true } },
  relabeled: {
    file: { metric_relabel_configs: relabelings.map((rule) => fileRule(rule)) },
    object: { metricRelabelings: relabelings.map((rule) => objectRule(rule)) },
  },
} satisfies Record<string, Job>;

export type RoundsJob = keyof typeof jobs;
export const roundsJobs: Readonly<Record<RoundsJob, Job>> = jobs;

interface Rule {
  readonly source?: readonly string[];
  readonly target?: string;
  readonly regex?: string;
  readonly replacement?: string;
  readonly modulus?: number;
  readonly action?: string;
}

function fileRule({ source, target, ...rest }: Rule): object {
  return {
    ...rest,
    ...(source !== undefined && { source_labels: source }),
    ...(target !== undefined && { target_label: target }),
  };
}

function objectRule({ source, target, ...rest }: Rule): object {
  return {
    ...rest,
    ...(source !== undefined && { sourceLabels: source }),
    ...(target !== undefined && { targetLabel: target }),
  };
}
