// Hot: remote-write requests, series by series, without an object per sample. An encoder is used again for each request.
//
// Specifications: Prometheus Remote-Write 1.0 (prometheus.WriteRequest) and 2.0 (io.prometheus.write.v2.Request).

import { type BucketSpan, CUSTOM_SCHEMA, type Labels, STALE_NAN_HIGH, STALE_NAN_LOW } from '@flotilla/model';
import { ProtobufWriter } from './protobuf-writer.ts';
import {
  type RemoteExemplar,
  type RemoteHistogram,
  type RemoteMetadata,
  remoteMetricTypes,
  remoteResetHints,
  type RemoteWriteVersion,
} from './remote-write.ts';

/** Labels as both encoders take them. `encoded` is what encodeRemoteLabels() makes of them, kept by who sends them often. */
export interface EncodedLabels {
  readonly labels: Labels;
  readonly encoded?: Uint8Array;
}

export interface RemoteWriteEncoder {
  /** Samples, histograms and exemplars that follow are of this series. Metadata belongs to 2.0 alone. */
  beginSeries(series: EncodedLabels, metadata?: RemoteMetadata): void;
  /** The value as words, low and high. */
  sample(timeMs: number, low: number, high: number): void;
  histogram(timeMs: number, histogram: RemoteHistogram): void;
  exemplar(exemplar: RemoteExemplar): void;
  endSeries(): void;
  /** Of a metric, in 1.0 alone. */
  metadata(metric: string, metadata: RemoteMetadata): void;
  /** The request without snappy, as a view that is valid until the next begin; the encoder is empty again. */
  finish(): Uint8Array;
}

export function createRemoteWriteEncoder(version: RemoteWriteVersion): RemoteWriteEncoder {
  return version === '1.0' ? new EncoderV1() : new EncoderV2();
}

const labelsWriter = new ProtobufWriter(1024);

/** The labels of a series as fields of a TimeSeries of 1.0; a copy, in memory that many of them share. */
export function encodeRemoteLabels(labels: Labels): Uint8Array {
  labelsWriter.clear();
  labelsWriter.labels(1, labels);
  return Buffer.from(labelsWriter.finish());
}

class EncoderV1 implements RemoteWriteEncoder {
  private readonly writer = new ProtobufWriter();
  private seriesAt = 0;
  private isFinished = false;

  beginSeries({ labels, encoded }: EncodedLabels): void {
    this.restart();
    this.seriesAt = this.writer.begin(1);
    if (encoded === undefined) this.writer.labels(1, labels);
    else this.writer.raw(encoded);
  }

  sample(timeMs: number, low: number, high: number): void {
    this.writer.sample(2, timeMs, low, high);
  }

  histogram(timeMs: number, histogram: RemoteHistogram): void {
    writeHistogram(this.writer, 4, timeMs, histogram);
  }

  exemplar({ labels, value, timeMs }: RemoteExemplar): void {
    const at = this.writer.begin(3);
    this.writer.labels(1, labels);
    this.writer.double(2, value);
    this.writer.varintField(3, timeMs);
    this.writer.end(at);
  }

  endSeries(): void {
    this.writer.end(this.seriesAt);
  }

  metadata(metric: string, { type, help, unit }: RemoteMetadata): void {
    this.restart();
    const at = this.writer.begin(3);
    this.writer.varintField(1, Math.max(0, remoteMetricTypes.indexOf(type)));
    this.writer.text(2, metric);
    this.writer.text(4, help);
    this.writer.text(5, unit);
    this.writer.end(at);
  }

  finish(): Uint8Array {
    this.restart();
    this.isFinished = true;
    return this.writer.finish();
  }

  private restart(): void {
    if (this.isFinished) this.writer.clear();
    this.isFinished = false;
  }
}

class EncoderV2 implements RemoteWriteEncoder {
  private readonly series = new ProtobufWriter();
  private readonly request = new ProtobufWriter();
  private readonly symbols = new Map<string, number>([['', 0]]);
  private seriesAt = 0;
  private pending: RemoteMetadata | undefined;

  beginSeries({ labels }: EncodedLabels, metadata?: RemoteMetadata): void {
    this.seriesAt = this.series.begin(5);
    this.writeRefs(labels);
    this.pending = metadata;
  }

  private writeRefs(labels: Labels): void {
    const at = this.series.begin(1);
    for (const text of labels.flat) this.series.packed(this.symbol(text));
    this.series.end(at);
  }

  private symbol(text: string): number {
    let ref = this.symbols.get(text);
    if (ref === undefined) {
      ref = this.symbols.size;
      this.symbols.set(text, ref);
    }
    return ref;
  }

  sample(timeMs: number, low: number, high: number): void {
    this.series.sample(2, timeMs, low, high);
  }

  histogram(timeMs: number, histogram: RemoteHistogram): void {
    writeHistogram(this.series, 3, timeMs, histogram);
  }

  exemplar({ labels, value, timeMs }: RemoteExemplar): void {
    const at = this.series.begin(4);
    this.writeRefs(labels);
    this.series.double(2, value);
    this.series.varintField(3, timeMs);
    this.series.end(at);
  }

  endSeries(): void {
    if (this.pending !== undefined) {
      const { type, help, unit } = this.pending;
      const at = this.series.begin(5);
      this.series.varintField(1, Math.max(0, remoteMetricTypes.indexOf(type)));
      this.series.varintField(3, this.symbol(help));
      this.series.varintField(4, this.symbol(unit));
      this.series.end(at);
    }
    this.series.end(this.seriesAt);
  }

  /** 2.0 says it with the series. */
  metadata(): void {}

  /** Symbols come first: some receivers resolve references as they read. */
  finish(): Uint8Array {
    this.request.clear();
    for (const symbol of this.symbols.keys()) this.request.text(4, symbol);
    this.request.raw(this.series.finish());
    this.series.clear();
    this.symbols.clear();
    this.symbols.set('', 0);
    return this.request.finish();
  }
}

/** The fields are the same in both versions. */
function writeHistogram(writer: ProtobufWriter, field: number, timeMs: number, h: RemoteHistogram): void {
  const at = writer.begin(field);
  if (h.isFloat) {
    writer.double(2, h.count);
    writer.double(7, h.zeroCount);
  } else {
    writer.varintField(1, h.count);
    writer.varintField(6, h.zeroCount);
  }
  if (h.isStale) writer.fixed64(3, STALE_NAN_LOW, STALE_NAN_HIGH);
  else writer.double(3, h.sum);
  writer.signedField(4, h.schema);
  writer.double(5, h.zeroThreshold);
  writeSpans(writer, 8, h.negativeSpans);
  writeCounts(writer, h.isFloat ? 10 : 9, h.negative, h.isFloat);
  writeSpans(writer, 11, h.positiveSpans);
  writeCounts(writer, h.isFloat ? 13 : 12, h.positive, h.isFloat);
  writer.varintField(14, remoteResetHints.indexOf(h.hint));
  writer.varintField(15, timeMs);
  if (h.schema === CUSTOM_SCHEMA && h.customBounds.length > 0) {
    const bounds = writer.begin(16);
    for (const bound of h.customBounds) writer.packedDouble(bound);
    writer.end(bounds);
  }
  writer.end(at);
}

function writeSpans(writer: ProtobufWriter, field: number, spans: readonly BucketSpan[]): void {
  for (const { offset, length } of spans) {
    const at = writer.begin(field);
    writer.signedField(1, offset);
    writer.varintField(2, length);
    writer.end(at);
  }
}

function writeCounts(
  writer: ProtobufWriter,
  field: number,
  counts: readonly number[],
  isFloat: boolean,
): void {
  if (counts.length === 0) return;
  const at = writer.begin(field);
  let before = 0;
  for (const count of counts) {
    if (isFloat) writer.packedDouble(count);
    else writer.packedSigned(count - before);
    before = count;
  }
  writer.end(at);
}
