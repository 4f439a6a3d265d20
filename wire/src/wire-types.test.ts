import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { decodeMetricFamily } from './metric-family.ts';
import { decodeRemoteWrite } from './remote-write-decoder.ts';

type Decode = (bytes: Uint8Array) => unknown;

const [varint, fixed64, bytes, fixed32] = [0, 1, 2, 5] as const;
const wireTypes = [varint, fixed64, bytes, fixed32] as const;
type WireType = (typeof wireTypes)[number];

/** A field with a value of its wire type; of bytes, `inner`. */
function field(number: number, wireType: WireType, inner: readonly number[] = []): number[] {
  const value = {
    [varint]: [1],
    [fixed64]: [0, 0, 0, 0, 0, 0, 0, 0],
    [bytes]: [inner.length, ...inner],
    [fixed32]: [0, 0, 0, 0],
  }[wireType];
  const tag = number * 8 + wireType;
  return [...(tag < 128 ? [tag] : [(tag & 127) | 128, tag >> 7]), ...value];
}

/** The field in the messages that hold it, the outermost first. */
function within(path: readonly number[], inner: readonly number[]): Uint8Array {
  return Uint8Array.from(path.toReversed().reduce((held, number) => field(number, bytes, held), [...inner]));
}

interface Known {
  readonly path: readonly number[];
  /** Name, number, wire type, and whether it is a list of numbers. */
  readonly fields: readonly (readonly [string, number, WireType, 'list'?])[];
}

function check(decode: Decode, messages: readonly Known[]): void {
  for (const { path, fields } of messages) {
    for (const [name, number, want, list] of fields)
      for (const wireType of wireTypes) {
        const message = within(path, field(number, wireType));
        if (wireType === want || (list !== undefined && wireType === bytes)) decode(message);
        else
          expect(() => decode(message)).toThrow(
            expect.objectContaining({
              message: expect.stringContaining(`proto: wrong wireType = ${wireType} for field ${name}`),
            }),
          );
      }
    for (const wireType of wireTypes) decode(within(path, field(100, wireType)));
  }
}

const label: Known['fields'] = [
  ['Name', 1, bytes],
  ['Value', 2, bytes],
];
const span: Known['fields'] = [
  ['Offset', 1, varint],
  ['Length', 2, varint],
];

test('a field of a metric family is of its type, or the body is refused', () => {
  check(decodeMetricFamily, [
    {
      path: [],
      fields: [
        ['Name', 1, bytes],
        ['Help', 2, bytes],
        ['Type', 3, varint],
        ['Metric', 4, bytes],
        ['Unit', 5, bytes],
      ],
    },
    {
      path: [4],
      fields: [
        ['Label', 1, bytes],
        ['Gauge', 2, bytes],
        ['Counter', 3, bytes],
        ['Summary', 4, bytes],
        ['Untyped', 5, bytes],
        ['TimestampMs', 6, varint],
        ['Histogram', 7, bytes],
      ],
    },
    { path: [4, 1], fields: label },
    { path: [4, 2], fields: [['Value', 1, fixed64]] },
    {
      path: [4, 3],
      fields: [
        ['Value', 1, fixed64],
        ['Exemplar', 2, bytes],
        ['StartTimestamp', 3, bytes],
      ],
    },
    { path: [4, 3, 2, 1], fields: label },
    {
      path: [4, 3, 3],
      fields: [
        ['Seconds', 1, varint],
        ['Nanos', 2, varint],
      ],
    },
    { path: [4, 4], fields: [['SampleCount', 1, varint]] },
    {
      path: [4, 7],
      fields: [
        ['SampleSum', 2, fixed64],
        ['Schema', 5, varint],
        ['NegativeDelta', 10, varint, 'list'],
        ['PositiveSpan', 12, bytes],
        ['PositiveCount', 14, fixed64, 'list'],
        ['StartTimestamp', 15, bytes],
        ['Exemplars', 16, bytes],
      ],
    },
    { path: [4, 7, 12], fields: span },
    { path: [4, 7, 3], fields: [['UpperBound', 2, fixed64]] },
  ]);
});

test('a field of a remote-write request is of its type, or the request is refused', () => {
  const sample: Known['fields'] = [
    ['Value', 1, fixed64],
    ['Timestamp', 2, varint],
  ];
  const histogram: Known['fields'] = [
    ['CountInt', 1, varint],
    ['CountFloat', 2, fixed64],
    ['Sum', 3, fixed64],
    ['NegativeDeltas', 9, varint, 'list'],
    ['PositiveSpans', 11, bytes],
    ['Timestamp', 15, varint],
    ['CustomValues', 16, fixed64, 'list'],
  ];
  check(
    (message) => decodeRemoteWrite('1.0', message),
    [
      {
        path: [],
        fields: [
          ['Timeseries', 1, bytes],
          ['Metadata', 3, bytes],
        ],
      },
      {
        path: [1],
        fields: [
          ['Labels', 1, bytes],
          ['Samples', 2, bytes],
          ['Histograms', 4, bytes],
        ],
      },
      { path: [1, 1], fields: label },
      { path: [1, 2], fields: sample },
      { path: [1, 4], fields: histogram },
      { path: [1, 4, 11], fields: span },
      {
        path: [3],
        fields: [
          ['Type', 1, varint],
          ['MetricFamilyName', 2, bytes],
        ],
      },
    ],
  );
  const emptySymbol = field(4, bytes);
  check(
    (body) => decodeRemoteWrite('2.0', Uint8Array.from([...emptySymbol, ...body])),
    [
      { path: [], fields: [['Timeseries', 5, bytes]] },
      {
        path: [5],
        fields: [
          ['Samples', 2, bytes],
          ['Histograms', 3, bytes],
          ['Metadata', 5, bytes],
        ],
      },
      { path: [5, 2], fields: sample },
      { path: [5, 3], fields: histogram },
    ],
  );
});

/** A message of fields at random, some of them messages. */
const message = fc.letrec<{ message: number[] }>((tie) => ({
  message: fc
    .array(
      fc
        .tuple(
          fc.integer({ min: 1, max: 17 }),
          fc.constantFrom(...wireTypes),
          fc.oneof(
            { maxDepth: 4, depthSize: 'small' },
            fc.array(fc.nat({ max: 255 }), { maxLength: 4 }),
            tie('message'),
          ),
        )
        .map(([number, wireType, inner]) => (inner.length > 120 ? [] : field(number, wireType, inner))),
      { maxLength: 4 },
    )
    .map((fields) => fields.flat()),
})).message;

test('messages of any fields are read or refused', () => {
  const decoders: readonly Decode[] = [
    decodeMetricFamily,
    (body) => decodeRemoteWrite('1.0', body),
    (body) => decodeRemoteWrite('2.0', body),
  ];
  fc.assert(
    fc.property(message, (fields) => {
      for (const decode of decoders)
        try {
          decode(Uint8Array.from(fields));
        } catch (error) {
          expect((error as Error).message).toMatch(/proto|remote write|MetricFamily/);
        }
    }),
    { numRuns: 3000, seed: 11 },
  );
});

test('an unknown group is passed over, whatever stands in it, and ends within its message', () => {
  const [start, end] = [(100 << 3) | 3, (100 << 3) | 4].map((tag) => [(tag & 0x7f) | 0x80, tag >>> 7]);
  const decode = (...group: readonly number[]): unknown =>
    decodeMetricFamily(Buffer.from([0x0a, 1, 0x61, ...group]));
  const nested = [0x0b, 0x00, 0x05, 0x0d, 1, 2, 3, 4, 0x0c];
  expect(decode(...start!, ...nested, ...end!)).toMatchObject({ name: Buffer.from('a') });
  expect(decode(...start!, 0x0c)).toMatchObject({ name: Buffer.from('a') });
  const beyondItsMetric = [0x22, start!.length, ...start!, ...end!];
  for (const cut of [start!, [...start!, ...nested], [...start!, 0x0f, 0x0c], [0x03, 0x04], beyondItsMetric])
    expect(() => decode(...cut)).toThrow('do not decode');
});
