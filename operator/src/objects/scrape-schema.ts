// What every kind of monitor may say of a scrape: limits, protocols, relabeling.

import { z } from 'zod';
import {
  boolean,
  byteSize,
  durationMs,
  limit,
  listSet,
  optional,
  quantity,
  relabeling,
  strings,
} from './schema-parts.ts';

export const scrapeProtocol = z.enum([
  'PrometheusProto',
  'OpenMetricsText0.0.1',
  'OpenMetricsText1.0.0',
  'PrometheusText0.0.4',
  'PrometheusText1.0.0',
]);

export const limitFields = {
  sampleLimit: optional(
    limit,
    'Samples of one scrape after relabeling; with more the scrape fails. 0: none.',
  ),
  targetLimit: optional(limit, 'Targets of one job after relabeling; with more all of them fail. 0: none.'),
  labelLimit: optional(limit, 'Labels of a sample; with more the scrape fails. 0: none.'),
  labelNameLengthLimit: optional(
    limit,
    'Length of a label name in bytes; with more the scrape fails. 0: none.',
  ),
  labelValueLengthLimit: optional(
    limit,
    'Length of a label value in bytes; with more the scrape fails. 0: none.',
  ),
  keepDroppedTargets: optional(
    limit,
    'Targets that relabeling dropped and that are shown all the same. 0: all.',
  ),
};
export const bodySizeLimit = optional(
  byteSize,
  'Uncompressed bytes of one scrape, like 10MB; with more it fails.',
);

export const protocolFields = {
  scrapeProtocols: optional(listSet(scrapeProtocol), 'Protocols to offer, the best first.'),
  fallbackScrapeProtocol: optional(scrapeProtocol, 'Protocol of an answer whose content type says none.'),
  scrapeClass: optional(z.string().min(1), 'Scrape class of the Fleet.'),
  scrapeNativeHistograms: optional(boolean, 'Scrapes native histograms.'),
  scrapeClassicHistograms: optional(boolean, 'Scrapes classic histograms beside their native ones.'),
  nativeHistogramBucketLimit: optional(
    limit,
    'Buckets of a native histogram; with more, buckets are merged. 0: none.',
  ),
  nativeHistogramMinBucketFactor: optional(
    quantity,
    'Least growth from bucket to bucket; with less, buckets are merged.',
  ),
  convertClassicHistogramsToNHCB: optional(
    boolean,
    'Turns classic histograms into native ones with custom buckets.',
  ),
};

const scrapeSettings = z.strictObject({ ...limitFields, ...protocolFields, bodySizeLimit });
export type ScrapeSettingsSpec = z.output<typeof scrapeSettings>;

export const scheme = optional(z.enum(['http', 'https', 'HTTP', 'HTTPS']), 'Scheme, http when absent.');
export const params = z.record(z.string(), strings);
export const attachMetadata = optional(
  z.strictObject({ node: optional(boolean, 'Adds labels and annotations of the node as meta labels.') }),
  'What to add to the meta labels of discovered targets.',
);
export const interval = optional(durationMs, "Time between scrapes; the Fleet's when absent.");
export const scrapeTimeout = optional(
  durationMs,
  "Longest time of one scrape, at most the interval; the Fleet's when absent.",
);
export const relabelings = z.array(relabeling);
export const metricRelabelings = optional(relabelings, 'Relabeling of samples, after the scrape.');
export const honorTimestamps = optional(boolean, 'Keeps timestamps of samples; true when absent.');
export const trackTimestampsStaleness = optional(
  boolean,
  'Marks series with own timestamps stale when they are gone.',
);
export const honorLabels = optional(boolean, "Keeps samples' labels where the target has the same ones.");
export const followRedirects = optional(boolean, 'Follows HTTP redirects; true when absent.');
export const enableHttp2 = optional(boolean, 'Offers HTTP/2; true when absent.');
