// The Fleet, kind of flotilla.dev/v1alpha1: its spec as users write it, checked, with defaults.

import { parseByteSize, parseDuration } from '@flotilla/model';
import { z } from 'zod';
import { labelSelector, stringMap } from '../objects/schema-parts.ts';

const duration = z.string().refine(isDuration, { error: 'want a duration like 30s, 5m or 15d' });
const byteSize = z.string().refine(isByteSize, { error: 'want a size like 512MB or 1GB' });
const count = z.int().min(0);

/** Absent means `{}`, everything: that a monitor is silently ignored is what users of other operators ask about most. */
const selector = labelSelector.prefault({});

const querierSchema = z.strictObject({
  replicas: z.int().min(1).max(16).default(1),
  lookbackDelta: duration.default('5m'),
  timeout: duration.default('2m'),
  maxConcurrency: z.int().min(1).default(20),
  maxSamples: z.int().min(1).default(50_000_000),
  maxBytes: byteSize.default('1GB'),
});

const rulerSchema = z.strictObject({
  replicas: z.int().min(0).max(16).default(2),
  alertmanagers: z.array(z.strictObject({ url: z.url({ protocol: /^https?$/ }) })).default([]),
  externalUrl: z.string().default(''),
});

export const fleetSpecSchema = z.strictObject({
  shards: z.int().min(1).max(512).default(1),
  replicas: z.int().min(1).max(4).default(2),
  retention: duration.default('15d'),
  scrapeInterval: duration.default('30s'),
  scrapeTimeout: duration.default('10s'),
  evaluationInterval: duration.default('30s'),
  externalLabels: stringMap.default({}),
  timestampTolerance: duration.optional(),
  replicaOffset: duration.optional(),
  enforcedSampleLimit: count.default(0),
  enforcedLabelLimit: count.default(0),
  enforcedLabelNameLengthLimit: count.default(0),
  enforcedLabelValueLengthLimit: count.default(0),
  enforcedBodySizeLimit: byteSize.default('0'),
  serviceMonitorSelector: selector,
  serviceMonitorNamespaceSelector: selector,
  podMonitorSelector: selector,
  podMonitorNamespaceSelector: selector,
  probeSelector: selector,
  probeNamespaceSelector: selector,
  scrapeConfigSelector: selector,
  scrapeConfigNamespaceSelector: selector,
  ruleSelector: selector,
  ruleNamespaceSelector: selector,
  querier: querierSchema.prefault({}),
  ruler: rulerSchema.prefault({}),
});

/** The spec with its defaults, and the name and namespace of its object. */
export interface FleetSpec extends z.output<typeof fleetSpecSchema> {
  readonly name: string;
  readonly namespace: string;
}

function isDuration(text: string): boolean {
  try {
    return parseDuration(text) > 0;
  } catch {
    return false;
  }
}

function isByteSize(text: string): boolean {
  try {
    return parseByteSize(text) >= 0;
  } catch {
    return false;
  }
}
