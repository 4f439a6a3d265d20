// Remote-write requests of strangers, decoded within limits. Throws BadRequest.
//
// Labels come as they were sent: whether they are sorted, unique and valid is for the receiver to say.

import { BadRequest, CUSTOM_SCHEMA, countsOfDeltas, type BucketSpan, isStale } from '@flotilla/model';
import { ProtobufReader } from './protobuf-reader.ts';
import {
  type RemoteHistogram,
  type RemoteMetadata,
  remoteMetricTypes,
  remoteResetHints,
  type RemoteWriteVersion,
} from './remote-write.ts';

export interface ReceivedExemplar {
  readonly labels: readonly string[];
  readonly value: number;
  readonly timeMs: number;
}

export interface ReceivedSeries {
  /** [name0, value0, name1, value1, …] */
  readonly labels: readonly string[];
  readonly timesMs: readonly number[];
  /** As many as times, with every NaN bit. */
  readonly values: Float64Array;
  readonly histograms: readonly { readonly timeMs: number; readonly histogram: RemoteHistogram }[];
  readonly exemplars: readonly ReceivedExemplar[];
  readonly metadata: RemoteMetadata | undefined;
}

export interface ReceivedWrite {
  readonly series: readonly ReceivedSeries[];
  /** Of 1.0, by name of the metric. */
  readonly metadata: readonly (RemoteMetadata & { readonly metric: string })[];
}

const SYMBOLS_MAX = 4_000_000;

export function decodeRemoteWrite(version: RemoteWriteVersion, bytes: Uint8Array): ReceivedWrite {
  return version === '1.0' ? decodeV1(bytes) : decodeV2(bytes);
}

function decodeV1(bytes: Uint8Array): ReceivedWrite {
  const series: ReceivedSeries[] = [];
  const metadata: (RemoteMetadata & { metric: string })[] = [];
  const reader = new ProtobufReader(bytes);
  reader.fields((field, wireType) => {
    if (field === 1 && wireType === 2) series.push(readSeries(reader.message(), versionOne));
    else if (field === 3 && wireType === 2) metadata.push(readMetricMetadata(reader.message()));
    else return false;
    return true;
  });
  return { series, metadata };
}

function decodeV2(bytes: Uint8Array): ReceivedWrite {
  const symbols: string[] = [];
  const messages: ProtobufReader[] = [];
  const reader = new ProtobufReader(bytes);
  reader.fields((field, wireType) => {
    if (field === 4 && wireType === 2) symbols.push(reader.text());
    else if (field === 5 && wireType === 2) messages.push(reader.message());
    else return false;
    if (symbols.length > SYMBOLS_MAX) throw new BadRequest(`remote write: more than ${SYMBOLS_MAX} symbols`);
    return true;
  });
  const fields = versionTwo(symbols);
  return { series: messages.map((message) => readSeries(message, fields)), metadata: [] };
}

/** What the versions do not have in common. */
interface SeriesFields {
  readonly exemplars: number;
  readonly histograms: number;
  readonly readLabel: (reader: ProtobufReader, wireType: number, labels: string[]) => void;
  readonly readMetadata: ((reader: ProtobufReader) => RemoteMetadata) | undefined;
}

const versionOne: SeriesFields = {
  exemplars: 3,
  histograms: 4,
  readLabel: (reader, _wireType, labels) => {
    const label = reader.message();
    let name = '';
    let value = '';
    label.fields((field, wireType) => {
      if (field === 1 && wireType === 2) name = label.text();
      else if (field === 2 && wireType === 2) value = label.text();
      else return false;
      return true;
    });
    labels.push(name, value);
  },
  readMetadata: undefined,
};

function versionTwo(symbols: readonly string[]): SeriesFields {
  const symbol = (ref: number): string => {
    const text = symbols[ref];
    if (text === undefined)
      throw new BadRequest(`remote write: symbol ${ref}, want less than ${symbols.length}`);
    return text;
  };
  return {
    histograms: 3,
    exemplars: 4,
    readLabel: (reader, wireType, labels) => {
      const refs: number[] = [];
      reader.repeated(wireType, refs, (one) => one.varint());
      for (const ref of refs) labels.push(symbol(ref));
    },
    readMetadata: (reader) => {
      const [type = 0, help = 0, unit = 0] = [1, 3, 4].map(numberOf(reader));
      return { type: metricType(type), help: symbol(help), unit: symbol(unit) };
    },
  };
}

/** The numbers of a message of numbers alone. */
function numberOf(reader: ProtobufReader): (field: number) => number | undefined {
  const numbers = new Map<number, number>();
  reader.fields((field, wireType) => {
    if (wireType !== 0) return false;
    numbers.set(field, reader.varint());
    return true;
  });
  return (field) => numbers.get(field);
}

function metricType(number: number): string {
  return remoteMetricTypes[number] ?? 'unknown';
}

function readSeries(reader: ProtobufReader, fields: SeriesFields): ReceivedSeries {
  const labels: string[] = [];
  const timesMs: number[] = [];
  const words: number[] = [];
  const histograms: { timeMs: number; histogram: RemoteHistogram }[] = [];
  const exemplars: ReceivedExemplar[] = [];
  let metadata: RemoteMetadata | undefined;
  reader.fields((field, wireType) => {
    if (field === 1) fields.readLabel(reader, wireType, labels);
    else if (field === 2) readSample(reader.message(), timesMs, words);
    else if (field === fields.histograms) histograms.push(readHistogram(reader.message()));
    else if (field === fields.exemplars) exemplars.push(readExemplar(reader.message(), fields));
    else if (field === 5 && fields.readMetadata !== undefined)
      metadata = fields.readMetadata(reader.message());
    else return false;
    return true;
  });
  if (labels.length % 2 !== 0)
    throw new BadRequest(`remote write: ${labels.length} label strings, want pairs`);
  const values = new Float64Array(Uint32Array.from(words).buffer);
  return { labels, timesMs, values, histograms, exemplars, metadata };
}

const sampleWords = new Uint32Array(2);

function readSample(reader: ProtobufReader, timesMs: number[], words: number[]): void {
  let timeMs = 0;
  sampleWords.fill(0);
  reader.fields((field, wireType) => {
    if (field === 1 && wireType === 1) reader.words(sampleWords, 0);
    else if (field === 2 && wireType === 0) timeMs = reader.varint();
    else return false;
    return true;
  });
  timesMs.push(timeMs);
  words.push(sampleWords[0]!, sampleWords[1]!);
}

function readExemplar(reader: ProtobufReader, fields: SeriesFields): ReceivedExemplar {
  const labels: string[] = [];
  let value = 0;
  let timeMs = 0;
  reader.fields((field, wireType) => {
    if (field === 1) fields.readLabel(reader, wireType, labels);
    else if (field === 2 && wireType === 1) value = reader.double();
    else if (field === 3 && wireType === 0) timeMs = reader.varint();
    else return false;
    return true;
  });
  if (labels.length % 2 !== 0)
    throw new BadRequest(`remote write: ${labels.length} label strings of an exemplar, want pairs`);
  return { labels, value, timeMs };
}

function readMetricMetadata(reader: ProtobufReader): RemoteMetadata & { metric: string } {
  const out = { metric: '', type: 'unknown', help: '', unit: '' };
  reader.fields((field, wireType) => {
    if (field === 1 && wireType === 0) out.type = metricType(reader.varint());
    else if (field === 2 && wireType === 2) out.metric = reader.text();
    else if (field === 4 && wireType === 2) out.help = reader.text();
    else if (field === 5 && wireType === 2) out.unit = reader.text();
    else return false;
    return true;
  });
  return out;
}

class HistogramFields {
  timeMs = 0;
  isFloat = false;
  count = 0;
  zeroCount = 0;
  schema = 0;
  zeroThreshold = 0;
  hint = 0;
  readonly sum = new Float64Array(1);
  readonly spans = { positive: [] as BucketSpan[], negative: [] as BucketSpan[] };
  readonly deltas = { positive: [] as number[], negative: [] as number[] };
  readonly counts = { positive: [] as number[], negative: [] as number[] };
  readonly bounds: number[] = [];

  /** False for a field that is none. */
  read(reader: ProtobufReader, field: number, wireType: number): boolean {
    switch (field) {
      case 1:
        this.count = reader.varint();
        return true;
      case 2:
        this.isFloat = true;
        this.count = reader.double();
        return true;
      case 3:
        reader.words(new Uint32Array(this.sum.buffer), 0);
        return true;
      case 4:
        this.schema = reader.signed();
        return true;
      case 5:
        this.zeroThreshold = reader.double();
        return true;
      case 6:
        this.zeroCount = reader.varint();
        return true;
      case 7:
        this.zeroCount = reader.double();
        return true;
      case 14:
        this.hint = reader.varint();
        return true;
      case 15:
        this.timeMs = reader.varint();
        return true;
      case 16:
        reader.repeated(wireType, this.bounds, (one) => one.double());
        return true;
      default:
        return this.readBuckets(reader, field, wireType);
    }
  }

  private readBuckets(reader: ProtobufReader, field: number, wireType: number): boolean {
    if (field < 8 || field > 13) return false;
    const side = field < 11 ? 'negative' : 'positive';
    const kind = (field - 8) % 3;
    if (kind === 0) this.spans[side].push(readSpan(reader.message()));
    else if (kind === 1) reader.repeated(wireType, this.deltas[side], (one) => one.signed());
    else reader.repeated(wireType, this.counts[side], (one) => one.double());
    return true;
  }

  countsOf(side: 'positive' | 'negative'): Float64Array {
    return this.isFloat ? Float64Array.from(this.counts[side]) : countsOfDeltas(this.deltas[side]);
  }
}

function readSpan(reader: ProtobufReader): BucketSpan {
  let offset = 0;
  let length = 0;
  reader.fields((field) => {
    if (field === 1) offset = reader.signed();
    else if (field === 2) length = reader.varint();
    else return false;
    return true;
  });
  return { offset, length };
}

function readHistogram(reader: ProtobufReader): { timeMs: number; histogram: RemoteHistogram } {
  const h = new HistogramFields();
  reader.fields((field, wireType) => h.read(reader, field, wireType));
  const { isFloat, schema, zeroThreshold, count, zeroCount, spans } = h;
  const histogram: RemoteHistogram = {
    schema,
    zeroThreshold,
    positiveSpans: spans.positive,
    negativeSpans: spans.negative,
    customBounds: schema === CUSTOM_SCHEMA ? h.bounds : [],
    isFloat,
    hint: remoteResetHints[h.hint] ?? 'unknown',
    isStale: isStale(h.sum, 0),
    count,
    zeroCount,
    sum: h.sum[0]!,
    positive: h.countsOf('positive'),
    negative: h.countsOf('negative'),
  };
  return { timeMs: h.timeMs, histogram };
}
