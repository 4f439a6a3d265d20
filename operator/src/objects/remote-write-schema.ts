// Where a Fleet sends its samples: names and meanings of the Prometheus operator's remoteWrite.

import { z } from 'zod';
import { errorText } from '@flotilla/chassis';
import { makeAuth } from '../monitors/job-auth.ts';
import { authFields, bearerTokenFile, fileAuthorization, fileTls, proxyFields } from './auth-schema.ts';
import { boolean, durationText, optional, stringMap } from './schema-parts.ts';
import { relabelings } from './scrape-schema.ts';

const positive = z.int().min(1);

const queueConfig = z
  .strictObject({
    capacity: positive.max(1_000_000).default(10_000).describe('Samples that may wait for each shard.'),
    minShards: positive.max(1000).default(1).describe('Requests that are sent at once, at least.'),
    maxShards: positive.max(1000).default(50).describe('Requests that are sent at once, at most.'),
    maxSamplesPerSend: positive.max(100_000).default(2000).describe('Samples of one request.'),
    batchSendDeadline: durationText
      .default('5s')
      .describe('How long a sample waits for its request to fill.'),
    minBackoff: durationText.default('30ms').describe('Wait before the second try of a request.'),
    maxBackoff: durationText.default('5s').describe('Longest wait between two tries.'),
    retryOnRateLimit: boolean
      .default(true)
      .describe('Tries a request again that was refused with 429; else its samples are lost.'),
    sampleAgeLimit: durationText.default('0s').describe('Older samples are not sent. 0s: all are.'),
  })
  .describe('How samples queue.');

const metadataConfig = z
  .strictObject({
    send: boolean.default(true).describe('Sends type, help and unit of metrics.'),
    sendInterval: durationText.default('1m').describe('Time between two rounds, for messageVersion V1.0.'),
    maxSamplesPerSend: positive.max(100_000).default(2000).describe('Metrics of one request.'),
  })
  .describe('Metadata of metrics.');

const haLabels = z
  .strictObject({
    cluster: z
      .string()
      .default('')
      .describe('Value of the label that the replicas of a shard share; FLEET-SHARD when absent.'),
    clusterLabel: z.string().min(1).default('cluster').describe('Its name.'),
    replicaLabel: z
      .string()
      .min(1)
      .default('__replica__')
      .describe('Name of the label that tells replicas apart.'),
  })
  .describe(
    'Every replica sends, with labels by which the receiver takes one of them. When absent, replica 0 of each shard sends, without such labels.',
  );

const fields = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .max(2048)
    .describe('Where to send.')
    .meta({ format: undefined, pattern: '^https?://.+$' }),
  name: z
    .string()
    .max(128)
    .default('')
    .describe('Unique name, under which the place in the log is kept; the URL when absent.'),
  messageVersion: z.enum(['V1.0', 'V2.0']).default('V1.0').describe('Version of the protocol.'),
  remoteTimeout: durationText.default('30s').describe('Longest time of one request.'),
  headers: stringMap.default({}).describe('HTTP headers to send; not those of the protocol.'),
  sendExemplars: boolean.default(true).describe('Sends exemplars.'),
  sendNativeHistograms: boolean.default(true).describe('Sends native histograms.'),
  writeRelabelConfigs: relabelings.default([]).describe('Relabeling of series, after external labels.'),
  queueConfig: queueConfig.prefault({}),
  metadataConfig: metadataConfig.prefault({}),
  haLabels: haLabels.optional(),
  ...authFields,
  authorization: optional(fileAuthorization, 'Authorization header.'),
  ...proxyFields,
  bearerTokenFile,
  tlsConfig: optional(fileTls, 'TLS with the receiver.'),
});
export type RemoteWriteSpec = z.output<typeof fields>;

const protocolHeaders =
  /^(content-(encoding|type|length)|x-prometheus-remote-write-version|authorization|host|user-agent)$/i;

/** One destination. What no schema says is checked here, so that the Fleet is refused with the reason. */
export const remoteWrite = fields.superRefine((spec, context) => {
  for (const problem of problemsOf(spec)) context.addIssue({ code: 'custom', message: problem, input: spec });
});

function problemsOf(spec: RemoteWriteSpec): string[] {
  const problems: string[] = [];
  const header = Object.keys(spec.headers).find((name) => protocolHeaders.test(name));
  if (header !== undefined) problems.push(`headers: ${header} is the protocol's`);
  const { minShards, maxShards } = spec.queueConfig;
  if (minShards > maxShards)
    problems.push(`queueConfig: minShards ${minShards}, want at most maxShards ${maxShards}`);
  try {
    remoteWriteAuth(spec, '');
  } catch (error) {
    problems.push(errorText(error));
  }
  return problems;
}

/** Throws RangeError. */
export function remoteWriteAuth(spec: RemoteWriteSpec, namespace: string): ReturnType<typeof makeAuth> {
  const { authorization, ...rest } = spec;
  const { credentialsFile, ...inline } = authorization ?? {};
  if (!credentialsFile)
    return makeAuth({ ...rest, ...(authorization && { authorization: inline }) }, namespace);
  if (inline.credentials !== undefined)
    throw new RangeError('authorization: only one of credentials and credentialsFile may be set');
  const auth = makeAuth(rest, namespace);
  if (auth.basic !== undefined || auth.oauth2 !== undefined || auth.authorization !== undefined)
    throw new RangeError('at most one of basicAuth, authorization, oauth2 and bearerToken must be set');
  return {
    ...auth,
    authorization: { type: inline.type?.trim() || 'Bearer', credentials: { file: credentialsFile } },
  };
}
