// Remote write: what its messages hold, and the two versions of them. Encoders: remote-write-encoder.ts.

import type { BucketSpan, CounterResetHint, Labels } from '@flotilla/model';

export type RemoteWriteVersion = '1.0' | '2.0';

/** Content types, as they are sent. */
export const remoteWriteContentTypes: Readonly<Record<RemoteWriteVersion, string>> = {
  '1.0': 'application/x-protobuf',
  '2.0': 'application/x-protobuf;proto=io.prometheus.write.v2.Request',
};

/** X-Prometheus-Remote-Write-Version. */
export const remoteWriteVersionHeaders: Readonly<Record<RemoteWriteVersion, string>> = {
  '1.0': '0.1.0',
  '2.0': '2.0.0',
};

/** Spans and absolute counts; the sum of a stale marker is Prometheus's stale NaN, and the rest of it means nothing. */
export interface RemoteHistogram {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly positiveSpans: readonly BucketSpan[];
  readonly negativeSpans: readonly BucketSpan[];
  readonly customBounds: readonly number[];
  readonly isFloat: boolean;
  readonly hint: CounterResetHint;
  readonly isStale: boolean;
  readonly count: number;
  readonly zeroCount: number;
  readonly sum: number;
  readonly positive: readonly number[];
  readonly negative: readonly number[];
}

export interface RemoteMetadata {
  /** Prometheus's: `counter`, `gauge`, `histogram`, `gaugehistogram`, `summary`, `info`, `stateset`; anything else is unknown. */
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

export interface RemoteExemplar {
  readonly labels: Labels;
  readonly value: number;
  readonly timeMs: number;
}

/** The numbers of both versions. */
export const remoteMetricTypes: readonly string[] = [
  'unknown',
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
];

export const remoteResetHints: readonly CounterResetHint[] = ['unknown', 'reset', 'not_reset', 'gauge'];
