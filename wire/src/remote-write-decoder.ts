// Remote-write requests of strangers, decoded within limits. Throws BadRequest.
//
// Labels come as they were sent: whether they are sorted, unique and valid is for the receiver to say.

import { BadRequest, CUSTOM_SCHEMA, countsOfDeltas, type BucketSpan, isStale } from '@flotilla/model';
import { BYTES, type FieldTypes, FIXED64, ProtobufReader, VARINT } from './protobuf-reader.ts';
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

const requestV1: FieldTypes = { 1: ['Timeseries', BYTES], 3: ['Metadata', BYTES] };
const requestV2: FieldTypes = { 4: ['Symbols', BYTES], 5: ['Timeseries', BYTES] };
const labelFields: FieldTypes = { 1: ['Name', BYTES], 2: ['Value', BYTES] };
const sampleFields: FieldTypes = { 1: ['Value', FIXED64], 2: ['Timestamp', VARINT] };
const spanFields: FieldTypes = { 1: ['Offset', VARINT], 2: ['Length', VARINT] };
const metricMetadataFields: FieldTypes = {
  1: ['Type', VARINT],
  2: ['MetricFamilyName', BYTES],
  4: ['Help', BYTES],
  5: ['Unit', BYTES],
};
const metadataFields: FieldTypes = {
  1: ['Type', VARINT],
  3: ['HelpRef', VARINT],
  4: ['UnitRef', VARINT],
};
const histogramFields: FieldTypes = {
  1: ['CountInt', VARINT],
  2: ['CountFloat', FIXED64],
  3: ['Sum', FIXED64],
  4: ['Schema', VARINT],
  5: ['ZeroThreshold', FIXED64],
  6: ['ZeroCountInt', VARINT],
  7: ['ZeroCountFloat', FIXED64],
  8: ['NegativeSpans', BYTES],
  9: ['NegativeDeltas', VARINT, 'list'],
  10: ['NegativeCounts', FIXED64, 'list'],
  11: ['PositiveSpans', BYTES],
  12: ['PositiveDeltas', VARINT, 'list'],
  13: ['PositiveCounts', FIXED64, 'list'],
  14: ['ResetHint', VARINT],
  15: ['Timestamp', VARINT],
  16: ['CustomValues', FIXED64, 'list'],
};

export function decodeRemoteWrite(version: RemoteWriteVersion, bytes: Uint8Array): ReceivedWrite {
  return version === '1.0' ? decodeV1(bytes) : decodeV2(bytes);
}

function decodeV1(bytes: Uint8Array): ReceivedWrite {
  const series: ReceivedSeries[] = [];
  const metadata: (RemoteMetadata & { metric: string })[] = [];
  const reader = new ProtobufReader(bytes);
  reader.fields(requestV1, (field) => {
    if (field === 1) series.push(readSeries(reader.message(), versionOne));
    else metadata.push(readMetricMetadata(reader.message()));
  });
  return { series, metadata };
}

function decodeV2(bytes: Uint8Array): ReceivedWrite {
  const symbols: string[] = [];
  const messages: ProtobufReader[] = [];
  const reader = new ProtobufReader(bytes);
  reader.fields(requestV2, (field) => {
    if (field === 4) symbols.push(reader.text());
    else messages.push(reader.message());
    if (symbols.length > SYMBOLS_MAX) throw new BadRequest(`remote write: more than ${SYMBOLS_MAX} symbols`);
  });
  const fields = versionTwo(symbols);
  return { series: messages.map((message) => readSeries(message, fields)), metadata: [] };
}

/** What the versions do not have in common. */
interface SeriesFields {
  readonly types: FieldTypes;
  readonly exemplarTypes: FieldTypes;
  readonly exemplars: number;
  readonly histograms: number;
  readonly readLabel: (reader: ProtobufReader, wireType: number, labels: string[]) => void;
  readonly readMetadata: ((reader: ProtobufReader) => RemoteMetadata) | undefined;
}

const versionOne: SeriesFields = {
  types: {
    1: ['Labels', BYTES],
    2: ['Samples', BYTES],
    3: ['Exemplars', BYTES],
    4: ['Histograms', BYTES],
  },
  exemplarTypes: { 1: ['Labels', BYTES], 2: ['Value', FIXED64], 3: ['Timestamp', VARINT] },
  exemplars: 3,
  histograms: 4,
  readLabel: (reader, _wireType, labels) => {
    const label = reader.message();
    let name = '';
    let value = '';
    label.fields(labelFields, (field) => {
      if (field === 1) name = label.text();
      else value = label.text();
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
    types: {
      1: ['LabelsRefs', VARINT, 'list'],
      2: ['Samples', BYTES],
      3: ['Histograms', BYTES],
      4: ['Exemplars', BYTES],
      5: ['Metadata', BYTES],
    },
    exemplarTypes: {
      1: ['LabelsRefs', VARINT, 'list'],
      2: ['Value', FIXED64],
      3: ['Timestamp', VARINT],
    },
    histograms: 3,
    exemplars: 4,
    readLabel: (reader, wireType, labels) => {
      const refs: number[] = [];
      reader.repeated(wireType, refs, (one) => one.varint());
      for (const ref of refs) labels.push(symbol(ref));
    },
    readMetadata: (reader) => {
      const numbers = [0, 0, 0, 0, 0];
      reader.fields(metadataFields, (field) => (numbers[field] = reader.varint()));
      const [, type = 0, , help = 0, unit = 0] = numbers;
      return { type: metricType(type), help: symbol(help), unit: symbol(unit) };
    },
  };
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
  reader.fields(fields.types, (field, wireType) => {
    if (field === 1) fields.readLabel(reader, wireType, labels);
    else if (field === 2) readSample(reader.message(), timesMs, words);
    else if (field === fields.histograms) histograms.push(readHistogram(reader.message()));
    else if (field === fields.exemplars) exemplars.push(readExemplar(reader.message(), fields));
    else metadata = fields.readMetadata?.(reader.message());
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
  reader.fields(sampleFields, (field) => {
    if (field === 1) reader.words(sampleWords, 0);
    else timeMs = reader.varint();
  });
  timesMs.push(timeMs);
  words.push(sampleWords[0]!, sampleWords[1]!);
}

function readExemplar(reader: ProtobufReader, fields: SeriesFields): ReceivedExemplar {
  const labels: string[] = [];
  let value = 0;
  let timeMs = 0;
  reader.fields(fields.exemplarTypes, (field, wireType) => {
    if (field === 1) fields.readLabel(reader, wireType, labels);
    else if (field === 2) value = reader.double();
    else timeMs = reader.varint();
  });
  if (labels.length % 2 !== 0)
    throw new BadRequest(`remote write: ${labels.length} label strings of an exemplar, want pairs`);
  return { labels, value, timeMs };
}

function readMetricMetadata(reader: ProtobufReader): RemoteMetadata & { metric: string } {
  const out = { metric: '', type: 'unknown', help: '', unit: '' };
  reader.fields(metricMetadataFields, (field) => {
    if (field === 1) out.type = metricType(reader.varint());
    else if (field === 2) out.metric = reader.text();
    else if (field === 4) out.help = reader.text();
    else out.unit = reader.text();
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

  read(reader: ProtobufReader, field: number, wireType: number): void {
    switch (field) {
      case 1:
        this.count = reader.varint();
        break;
      case 2:
        this.isFloat = true;
        this.count = reader.double();
        break;
      case 3:
        reader.words(new Uint32Array(this.sum.buffer), 0);
        break;
      case 4:
        this.schema = reader.signed();
        break;
      case 5:
        this.zeroThreshold = reader.double();
        break;
      case 6:
        this.zeroCount = reader.varint();
        break;
      case 7:
        this.zeroCount = reader.double();
        break;
      case 14:
        this.hint = reader.varint();
        break;
      case 15:
        this.timeMs = reader.varint();
        break;
      case 16:
        reader.repeated(wireType, this.bounds, (one) => one.double());
        break;
      default:
        this.readBuckets(reader, field, wireType);
    }
  }

  private readBuckets(reader: ProtobufReader, field: number, wireType: number): void {
    const side = field < 11 ? 'negative' : 'positive';
    const kind = (field - 8) % 3;
    if (kind === 0) this.spans[side].push(readSpan(reader.message()));
    else if (kind === 1) reader.repeated(wireType, this.deltas[side], (one) => one.signed());
    else reader.repeated(wireType, this.counts[side], (one) => one.double());
  }

  countsOf(side: 'positive' | 'negative'): readonly number[] {
    return this.isFloat ? this.counts[side] : countsOfDeltas(this.deltas[side]);
  }
}

function readSpan(reader: ProtobufReader): BucketSpan {
  let offset = 0;
  let length = 0;
  reader.fields(spanFields, (field) => {
    if (field === 1) offset = reader.signed();
    else length = reader.varint();
  });
  return { offset, length };
}

function readHistogram(reader: ProtobufReader): { timeMs: number; histogram: RemoteHistogram } {
  const h = new HistogramFields();
  reader.fields(histogramFields, (field, wireType) => h.read(reader, field, wireType));
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
