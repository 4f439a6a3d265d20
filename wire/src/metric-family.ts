// Metric families as protobuf, what targets expose. Names and texts are bytes, not yet checked to be UTF-8.

import { MessageType } from './schema.ts';

export interface ExposedLabel {
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

interface ExposedValue {
  readonly value: number;
}

export interface ExposedExemplarMessage {
  readonly label: readonly ExposedLabel[];
  readonly value: number;
  readonly timestamp?: { readonly seconds: number; readonly nanos: number } | null;
}

interface ExposedCounter extends ExposedValue {
  readonly exemplar?: ExposedExemplarMessage | null;
}

export interface ExposedSummary {
  readonly sampleCount: number;
  readonly sampleSum: number;
  readonly quantile: readonly { readonly quantile: number; readonly value: number }[];
}

export interface ExposedBucket {
  readonly cumulativeCount: number;
  readonly cumulativeCountFloat: number;
  readonly upperBound: number;
  readonly exemplar?: ExposedExemplarMessage | null;
}

export interface ExposedSpan {
  readonly offset: number;
  readonly length: number;
}

export interface ExposedHistogram {
  readonly sampleCount: number;
  readonly sampleCountFloat: number;
  readonly sampleSum: number;
  readonly bucket: readonly ExposedBucket[];
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly zeroCountFloat: number;
  readonly negativeSpan: readonly ExposedSpan[];
  /** Differences to the bucket before. */
  readonly negativeDelta: readonly number[];
  readonly negativeCount: readonly number[];
  readonly positiveSpan: readonly ExposedSpan[];
  readonly positiveDelta: readonly number[];
  readonly positiveCount: readonly number[];
  readonly exemplars: readonly ExposedExemplarMessage[];
}

/** What a metric has not is undefined or null. */
export interface ExposedMetric {
  readonly label: readonly ExposedLabel[];
  readonly gauge?: ExposedValue | null;
  readonly counter?: ExposedCounter | null;
  readonly untyped?: ExposedValue | null;
  readonly summary?: ExposedSummary | null;
  readonly histogram?: ExposedHistogram | null;
  /** 0: none. */
  readonly timestampMs: number;
}

export interface ExposedFamily {
  readonly name: Uint8Array;
  readonly help: Uint8Array;
  /** 0 counter, 1 gauge, 2 summary, 3 untyped, 4 histogram, 5 gauge histogram. */
  readonly type: number;
  readonly metric: readonly ExposedMetric[];
  readonly unit: Uint8Array;
}

const familyType = new MessageType<ExposedFamily>('MetricFamily', 'io.prometheus.client');

/** Bytes of names and texts are views. Throws BadRequest, of a known field of a wrong type, too. */
export function decodeMetricFamily(bytes: Uint8Array): ExposedFamily {
  return familyType.decodeChecked(bytes);
}

/** For tests, and what else plays a target. */
export function encodeMetricFamily(family: Partial<ExposedFamily>): Uint8Array {
  return familyType.encode(family as ExposedFamily);
}
