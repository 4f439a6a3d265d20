// Mutated inputs for every decoder of records and files: each gives something or throws RangeError, and a damaged block is
// left out or answers with what is left of it. FLOTILLA_FUZZ_RUNS sets how many inputs each kind of record gets; files,
// which cost more, get a hundredth, and databases a thousandth. The seed is in the title.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bucketsOfSpans, FloatHistogram, Labels } from '@flotilla/model';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nativeOf } from './histogram/native-histogram.ts';
import { EPOCH_MS, MINUTE_MS, named, read, Sandbox } from './testing/sandbox.ts';
import { decodeExemplars, encodeExemplars } from './wal/exemplar-records.ts';
import { decodeHistogramRecord, encodeHistograms } from './wal/histogram-records.ts';
import { decodeLate, encodeLate } from './wal/late-records.ts';
import { decodeMetadata, encodeMetadata } from './wal/metadata-records.ts';
import {
  decodeDeletions,
  decodeSchedules,
  decodeSeries,
  encodeDeletions,
  encodeSchedules,
  encodeSeries,
} from './wal/records.ts';
import { readSegment } from './wal/segment-reader.ts';

const RUNS = Number(process.env['FLOTILLA_FUZZ_RUNS'] ?? 3000);
const SEED = Number(process.env['FLOTILLA_FUZZ_SEED'] ?? 20_261);
const HOUR_MS = 3_600_000;

let state = SEED >>> 0;

function random(below: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

function mutated(sample: Uint8Array): Uint8Array {
  const copy = sample.slice(0, random(4) === 0 ? random(sample.length + 1) : sample.length);
  for (let edits = 1 + random(4); edits > 0 && copy.length > 0; edits--) {
    const at = random(copy.length);
    copy[at] = random(2) === 0 ? random(256) : copy[at]! ^ (1 << random(8));
  }
  return copy;
}

function histogram(isFloat: boolean, schema: number): ReturnType<typeof nativeOf> {
  const isCustom = schema === -53;
  const fields = {
    schema,
    count: 7,
    sum: 1.5,
    positive: bucketsOfSpans([{ offset: 0, length: 3 }], [1, 2, 4]),
    customBounds: isCustom ? [1, 2, 3] : [],
  };
  return nativeOf(new FloatHistogram(fields), isFloat);
}

const labels = Labels.fromRecord({ __name__: 'requests_total', job: 'ü', path: '/a/b' });
const refs = [1, 2, 300, 70_000];
const samples = refs.flatMap((ref, i) =>
  [2, -53].map((schema) => ({ ref, timeMs: EPOCH_MS + i, histogram: histogram(i % 2 === 0, schema) })),
);
const late = refs.map((ref, i) => ({ ref, timeMs: EPOCH_MS - i, low: i, high: 7, histogram: undefined }));

const records: [string, readonly Uint8Array[], (record: Uint8Array) => unknown][] = [
  ['series', [encodeSeries(refs, () => labels)], (record) => decodeSeries(record, () => {})],
  [
    'schedules',
    [encodeSchedules(new Map(refs.map((ref) => [ref, { targetId: ref, intervalMs: 1000, phaseMs: 3 }])))],
    (record) => decodeSchedules(record, () => {}),
  ],
  [
    'deletions',
    [encodeDeletions(refs.map((ref) => [ref, { minTimeMs: -5, maxTimeMs: EPOCH_MS }]))],
    (record) => decodeDeletions(record, () => {}),
  ],
  ['histograms', encodeHistograms(samples), decodeHistogramRecord],
  ['late samples', encodeLate(late), decodeLate],
  [
    'exemplars',
    [
      encodeExemplars(
        refs.map((ref) => ({
          ref,
          exemplar: { labels, value: ref / 3, timeMs: EPOCH_MS, hasTimestamp: true },
        })),
      ),
    ],
    decodeExemplars,
  ],
  [
    'metadata',
    [encodeMetadata(refs.map((ref) => ({ ref, metadata: { type: 'gauge', help: 'Says ä.', unit: 's' } })))],
    decodeMetadata,
  ],
];

describe(`mutated inputs, seed ${SEED}, ${RUNS} each`, () => {
  test.each(records)(
    'records of %s',
    (_, encoded, decode) => {
      const inputs = encoded.map((record) => record.slice());
      for (let run = 0; run < RUNS; run++) {
        try {
          decode(mutated(inputs[random(inputs.length)]!));
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
        }
      }
      expect(inputs.length).toBeGreaterThan(0);
    },
    HOUR_MS,
  );

  describe('files', () => {
    const sandbox = new Sandbox();
    let dir: string;

    /** A database with blocks, deletions, histograms, exemplars, and a WAL. */
    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), 'flotilla-fuzz-'));
      const db = await sandbox.tsdb({ blockDurationMs: MINUTE_MS, metadataRecords: true });
      for (let n = 0; n < 200; n++) {
        const appender = db.appender();
        const timeMs = EPOCH_MS + n * 1000;
        for (const name of ['a', 'b']) {
          const schedule = { targetId: 1, intervalMs: 1000, phaseMs: 0 };
          const ref = appender.series(named(name, { job: 'j' }), schedule);
          appender.append(ref, timeMs, n);
          appender.appendExemplar(ref, { labels, value: n, timeMs, hasTimestamp: true });
          appender.setMetadata(ref, { type: 'counter', help: name, unit: '' });
        }
        appender.appendHistogram(appender.series(named('h')), timeMs, histogram(false, 2));
        appender.commit();
      }
      await db.maintain();
      await db.close();
    });

    afterAll(async () => {
      await sandbox.remove();
      rmSync(dir, { recursive: true, force: true });
    });

    test(
      'segments of the WAL',
      () => {
        const wal = join(sandbox.dir, 'wal');
        const segment = readFileSync(
          join(
            wal,
            readdirSync(wal).find((name) => /^\d+$/.test(name))!,
          ),
        );
        const path = join(dir, 'segment');
        for (let run = 0; run < RUNS / 100; run++) {
          writeFileSync(path, mutated(segment));
          let count = 0;
          const { goodBytes } = readSegment(path, () => count++);
          if (goodBytes > segment.length) throw new Error(`run ${run}: ${goodBytes} good bytes`);
        }
        expect(segment.length).toBeGreaterThan(1000);
      },
      HOUR_MS,
    );

    test(
      'databases',
      async () => {
        const files = readdirSync(sandbox.dir, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile() && entry.name !== 'lock')
          .map((entry) => join(entry.parentPath, entry.name).slice(sandbox.dir.length + 1));
        for (let run = 0; run < Math.max(3, RUNS / 1000); run++) {
          const copy = new Sandbox();
          cpSync(sandbox.dir, copy.dir, { recursive: true });
          const path = join(copy.dir, files[random(files.length)]!);
          writeFileSync(path, mutated(readFileSync(path)));
          const db = await copy.tsdb({ blockDurationMs: MINUTE_MS });
          for (const points of (await read(db)).values()) expect(points.length).toBeLessThanOrEqual(200);
          await db.selectExemplars([[]], 0, 2 ** 50);
          await db.maintain();
          await copy.remove();
        }
        expect(files.length).toBeGreaterThan(5);
      },
      HOUR_MS,
    );
  });
});
