// Round trips, equal bytes from equal inputs, and hostile bytes for every codec of the room.

import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  canonicalAssignment,
  compressSnappy,
  decodeAssignmentFile,
  decodeAssignmentFrame,
  decodeHeartbeat,
  decodeSeriesFrame,
  decodeSeriesRequest,
  encodeAssignmentFile,
  encodeAssignmentFrame,
  encodeFrame,
  encodeHeartbeat,
  encodeSeriesTrailer,
  encodeSeriesRequest,
  FrameDecoder,
  acceptsSeries,
  SERIES_CONTENT_TYPE,
  seriesChecksum,
  SeriesFrameWriter,
  uncompressSnappy,
} from './index.ts';
import { MessageType } from './schema.ts';
import type { AssignmentFrame, Heartbeat, Job, SeriesMessage, SeriesRequest, Target } from './index.ts';

const job: Job = {
  name: 'serviceMonitor/default/app/0',
  intervalMs: 30_000,
  timeoutMs: 10_000,
  honorLabels: false,
  honorTimestamps: true,
  trackTimestampsStaleness: false,
  enableCompression: true,
  followRedirects: true,
  scrapeProtocols: ['PrometheusText0.0.4'],
  fallbackScrapeProtocol: '',
  scrapeNativeHistograms: true,
  alwaysScrapeClassicHistograms: false,
  convertClassicHistogramsToNhcb: true,
  nativeHistogramMinBucketFactor: 1.1,
  nameValidationScheme: 'legacy',
  nameEscapingScheme: '',
  limits: {
    bodySizeBytes: 0,
    samples: 10,
    targets: 0,
    labels: 0,
    labelNameLength: 0,
    labelValueLength: 0,
    histogramBuckets: 160,
    series: 5,
    shardSeries: 7,
  },
  metricRelabelings: [{ sourceLabels: ['a', 'é'], regex: '', action: 'drop' }],
  auth: {
    basic: {
      username: { value: 'me' },
      password: { secret: { kind: 'Secret', namespace: 'n', name: 's', key: 'k' } },
    },
    tls: { ca: { file: '/ca.crt' }, insecureSkipVerify: true },
  },
};
const target = (id: number): Target => ({
  id,
  job: job.name,
  url: `http://127.0.0.1:${id}/metrics`,
  labels: [
    ['instance', `127.0.0.1:${id}`],
    ['job', 'äpp'],
  ],
  intervalMs: 30_000,
  timeoutMs: 10_000,
  slot: id === 7 ? -1 : id,
  ...(id === 7 && {
    unixSocket: '/run/app.sock',
    histograms: {
      scrapeNativeHistograms: true,
      alwaysScrapeClassicHistograms: false,
      convertClassicHistogramsToNhcb: true,
    },
  }),
});
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const series = fc.record({
  labelSet: fc.uint8Array({ maxLength: 200 }),
  targetId: u32,
  intervalMs: fc.nat(),
  phaseMs: fc.nat(),
  incomplete: fc.boolean(),
  chunkList: fc.uint8Array({ maxLength: 200 }),
});

const frameType = new MessageType('SeriesFrame');
const writer = new SeriesFrameWriter();

function payloadOf(batch: readonly SeriesMessage[]): Uint8Array {
  for (const one of batch) writer.add(one);
  return new FrameDecoder(seriesChecksum).push(writer.finish())[0]!;
}

function seriesOf(payload: Uint8Array): SeriesMessage[] {
  const frame = decodeSeriesFrame(payload);
  if (frame.kind === 'trailer') return [];
  const cursor = frame.series;
  const found: SeriesMessage[] = [];
  const bytes = (from: number, to: number): Uint8Array => Uint8Array.from(cursor.payload.subarray(from, to));
  while (cursor.next()) {
    const { labelsFrom, labelsTo, targetId, intervalMs, phaseMs, incomplete, chunksFrom, chunksTo } = cursor;
    const [labelSet, chunkList] = [bytes(labelsFrom, labelsTo), bytes(chunksFrom, chunksTo)];
    found.push({ labelSet, targetId, intervalMs, phaseMs, incomplete, chunkList });
  }
  return found;
}

/** A decoder may refuse bytes with an Error, and must do nothing else. */
function checkRefusesOrReads(decode: (bytes: Uint8Array) => unknown, good: Uint8Array): void {
  const mutation = fc.array(fc.tuple(fc.nat({ max: Math.max(0, good.length - 1) }), fc.nat({ max: 255 })), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(mutation, fc.nat({ max: good.length }), (edits, length) => {
      const bytes = Uint8Array.from(good);
      for (const [at, byte] of edits) bytes[at] = byte;
      try {
        decode(bytes.subarray(0, length));
      } catch (error) {
        expect(typeof (error as Error).message).toBe('string');
      }
    }),
    { numRuns: 300, seed: 7 },
  );
}

describe('assignment', () => {
  const assignment = canonicalAssignment(1, [job], [target(9), target(7), target(8)]);
  const frames: AssignmentFrame[] = [
    { kind: 'snapshot', assignment, handedOff: [1, 0xffffffff] },
    {
      kind: 'diff',
      diff: {
        fromVersion: 'a',
        toVersion: 'b',
        jobs: [job],
        removedJobs: ['x'],
        targets: [target(3)],
        removedTargets: [
          { id: 4, reason: 'handoff' },
          { id: 5, reason: 'gone' },
        ],
      },
    },
    { kind: 'keepalive', version: 'b' },
  ];

  test('frames survive the wire', () => {
    for (const frame of frames) expect(decodeAssignmentFrame(encodeAssignmentFrame(frame))).toEqual(frame);
  });

  test('equal inputs in any order give equal bytes and an equal version', () => {
    const other = canonicalAssignment(1, [job], [target(8), target(9), target(7)]);
    expect(other.version).toBe(assignment.version);
    expect(encodeAssignmentFile(other)).toEqual(encodeAssignmentFile(assignment));
    expect(canonicalAssignment(1, [job], [target(8), target(9)]).version).not.toBe(assignment.version);
  });

  test('a damaged file is refused with its path', () => {
    const file = encodeAssignmentFile(assignment);
    expect(decodeAssignmentFile('a.bin', file)).toEqual(assignment);
    file[20]! ^= 1;
    expect(() => decodeAssignmentFile('a.bin', file)).toThrow(/^a\.bin: offset 0: .*checksum/);
  });

  test('a reader of another version is told apart', () => {
    for (const accept of ['*/*', undefined, SERIES_CONTENT_TYPE]) expect(acceptsSeries(accept)).toBe(true);
    expect(acceptsSeries('application/x-flotilla-series; version=2')).toBe(false);
  });

  test('mutated frames are refused or read', () => {
    for (const frame of frames) checkRefusesOrReads(decodeAssignmentFrame, encodeAssignmentFrame(frame));
  });
});

test('heartbeats survive the wire, and a strange state is refused', () => {
  const health = {
    id: 0xfffffffe,
    lastScrapeMs: 1.7e12,
    scrapes: 3,
    up: true,
    lastDurationMs: 1.25,
    samples: 9,
    error: 'ö',
  };
  const heartbeat: Heartbeat = {
    fleet: 'main',
    shard: 3,
    replica: 1,
    version: 'v',
    state: 'ready',
    headSeries: 5e6,
    startedMs: 1.7e12,
    sentMs: 1.7e12 + 1,
    targets: [health],
  };
  expect(decodeHeartbeat(encodeHeartbeat(heartbeat))).toEqual(heartbeat);
  const fresh = {
    ...health,
    id: 1,
    lastScrapeMs: 0,
    scrapes: 0,
    up: false,
    lastDurationMs: 0,
    samples: 0,
    error: '',
  };
  const many = { ...heartbeat, targets: Array.from({ length: 1000 }, (_, i) => (i % 2 ? health : fresh)) };
  expect(decodeHeartbeat(encodeHeartbeat(many))).toEqual(many);
  const strange = encodeHeartbeat({ ...heartbeat, state: 'dancing' as 'ready' });
  expect(() => decodeHeartbeat(strange)).toThrow('state "dancing"');
  checkRefusesOrReads(decodeHeartbeat, encodeHeartbeat(heartbeat));
});

describe('series stream', () => {
  test('requests survive the wire', () => {
    const request: SeriesRequest = {
      minTimeMs: -5,
      maxTimeMs: 1.7e12,
      matchers: [
        { type: '=~', name: '__name__', value: 'a|b' },
        { type: '!=', name: 'é', value: '' },
      ],
      skipChunks: true,
      limit: 10,
      latestOnly: true,
      targetIds: [1, 0xffffffff],
    };
    expect(decodeSeriesRequest(encodeSeriesRequest(request))).toEqual(request);
    const many = { ...request, matchers: Array.from({ length: 101 }, () => request.matchers[0]!) };
    expect(() => decodeSeriesRequest(encodeSeriesRequest(many))).toThrow('101 matchers');
  });

  test('frames survive the wire', () => {
    fc.assert(
      fc.property(fc.array(series, { maxLength: 5 }), (batch) => {
        expect(seriesOf(payloadOf(batch))).toEqual(batch);
        // As any protobuf library reads and writes it.
        const message = frameType.decode(payloadOf(batch));
        expect(seriesOf(frameType.encode(message))).toEqual(batch);
      }),
      { seed: 1 },
    );
    const trailer = {
      kind: 'trailer' as const,
      trailer: { series: 2, gaps: [{ fromMs: -1, toMs: 5 }], missedTargetIds: [7], truncated: true },
    };
    expect(decodeSeriesFrame(encodeSeriesTrailer(trailer.trailer))).toEqual(trailer);
  });

  test('mutated frames are refused or read', () => {
    const [batch] = fc.sample(fc.array(series, { minLength: 3, maxLength: 3 }), { numRuns: 1, seed: 3 });
    checkRefusesOrReads(seriesOf, payloadOf(batch!));
  });
});

describe('framing', () => {
  test('payloads come out however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
        fc.integer({ min: 1, max: 50 }),
        (payloads, size) => {
          const stream = Buffer.concat(payloads.map((payload) => encodeFrame(payload)));
          const decoder = new FrameDecoder();
          const got: Uint8Array[] = [];
          for (let at = 0; at < stream.length; at += size) {
            for (const payload of decoder.push(stream.subarray(at, at + size)))
              got.push(Uint8Array.from(payload));
          }
          decoder.end();
          expect(got).toEqual(payloads);
        },
      ),
      { seed: 2 },
    );
  });

  test('damage, a cut stream and a giant length are told apart', () => {
    const frame = encodeFrame(Buffer.from('hello'));
    const cut = new FrameDecoder();
    cut.push(frame.subarray(0, 7));
    expect(() => cut.end()).toThrow('ended within a frame');
    frame[frame.length - 1]! ^= 1;
    expect(() => new FrameDecoder().push(frame)).toThrow('checksum');
    expect(() => new FrameDecoder().push(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f))).toThrow(
      'want at most',
    );
    expect(() => new FrameDecoder().push(new Uint8Array(6).fill(0xff))).toThrow('more than 5 bytes');
  });
});

describe('snappy', () => {
  test('what was compressed comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.nat({ max: 40 }), (bytes, times_) => {
        const input = Buffer.concat(Array.from({ length: times_ }, () => bytes));
        expect(Buffer.from(uncompressSnappy(compressSnappy(input), 1 << 20)).equals(input)).toBe(true);
      }),
      { numRuns: 50, seed: 5 },
    );
  });

  test('hostile blocks are refused at once', () => {
    const check = (bytes: number[], want: string) =>
      expect(() => uncompressSnappy(Uint8Array.from(bytes), 1 << 20)).toThrow(want);
    check([0x10, 0xfc, 0xfa, 0xff, 0xff, 0xff], 'runs past the end');
    check([0xff, 0xff, 0xff, 0x7f, 0x00], 'want at most');
    check([0x80, 0x80, 0x20, 0x00, 0x61], 'promised by');
    check([0x02, 0x00, 0x61], '1 bytes, want 2');
    check([0x05, 0x01, 0x00], 'bytes back');
    check([], 'ends within');
  });
});
