// Fleet, flotilla.dev/v1alpha1: the one object of ours. An unknown field is refused, with a suggestion.

import { parseDuration } from '@flotilla/model';
import { z } from 'zod';
import { byteSize, durationMs, labelSelector, limit, parsed, stringMap } from './schema-parts.ts';

const httpUrl = z.url({ protocol: /^https?$/, error: 'want an http or https URL' });

/** A duration of more than 0, with a default. */
function positiveMs(defaultText: string) {
  return parsed(z.string().default(defaultText), (text) => {
    const ms = parseDuration(text);
    if (ms === 0) throw new RangeError('0, want more than 0');
    return ms;
  });
}

const querier = z.strictObject({
  replicas: z.int().min(1).max(16).default(1),
  lookbackDelta: durationMs.optional(),
  timeout: durationMs.optional(),
  maxConcurrency: z.int().min(1).optional(),
  maxSamples: z.int().min(1).optional(),
  maxBytes: byteSize.optional(),
});

const ruler = z.strictObject({
  replicas: z.int().min(0).max(4).default(2),
  alertmanagers: z.array(z.strictObject({ url: httpUrl })).default([]),
  externalUrl: httpUrl.optional(),
});

/** Missing selectors select everything: that a monitor is silently ignored is the most asked question elsewhere. */
const everything = labelSelector.prefault({});

export const fleetFields = {
  spec: z.strictObject({
    shards: z.int().min(1).max(512).default(1),
    replicas: z.int().min(1).max(4).default(2),
    retention: positiveMs('15d'),
    scrapeInterval: positiveMs('30s'),
    scrapeTimeout: durationMs.optional(),
    evaluationInterval: positiveMs('30s'),
    externalLabels: stringMap.default({}),
    timestampTolerance: durationMs.optional(),
    replicaOffset: durationMs.optional(),
    serviceMonitorSelector: everything,
    serviceMonitorNamespaceSelector: everything,
    podMonitorSelector: everything,
    podMonitorNamespaceSelector: everything,
    probeSelector: everything,
    probeNamespaceSelector: everything,
    scrapeConfigSelector: everything,
    scrapeConfigNamespaceSelector: everything,
    ruleSelector: everything,
    ruleNamespaceSelector: everything,
    enforcedSampleLimit: limit.default(0),
    enforcedTargetLimit: limit.default(0),
    enforcedLabelLimit: limit.default(0),
    enforcedLabelNameLengthLimit: limit.default(0),
    enforcedLabelValueLengthLimit: limit.default(0),
    enforcedBodySizeLimit: byteSize.optional(),
    querier: querier.prefault({}),
    ruler: ruler.prefault({}),
  }),
};
