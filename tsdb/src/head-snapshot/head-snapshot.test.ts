import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FloatHistogram, Labels, Matcher, METRIC_NAME } from '@flotilla/model';
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Log, OpenOptions } from '../api.ts';
import { nativeOf } from '../histogram/native-histogram.ts';
import { diskIo, type Io } from '../io.ts';
import { anything, EPOCH_MS, MINUTE_MS, named, put, Sandbox } from '../testing/sandbox.ts';
import type { Tsdb } from '../tsdb.ts';

const STEP_MS = 5000;
const STEPS = 130;
const MATCH_ALL = [anything];

let sandbox: Sandbox;
let messages: string[];
const extra: Sandbox[] = [];

beforeEach(() => {
  sandbox = new Sandbox();
  messages = [];
});

afterEach(async () => {
  for (const one of [sandbox, ...extra.splice(0)]) await one.remove();
});

const log: Log = { info: note, warn: note, error: note };
const options: Partial<OpenOptions> = {
  log,
  blockDurationMs: 120 * MINUTE_MS,
  outOfOrderWindowMs: 30 * MINUTE_MS,
  exemplarsMax: 40,
  metadataRecords: true,
  walSegmentBytes: 60_000,
};
const LOADED = 'head: loaded as it was saved';
const REFUSED = 'head: what was saved is not used, replaying the WAL';

function note(message: string): void {
  messages.push(message);
}

function open(box: Sandbox, others: Partial<OpenOptions> = {}): Promise<Tsdb> {
  messages.length = 0;
  return box.tsdb({ ...options, ...others });
}

function copied(from: Sandbox): Sandbox {
  const copy = new Sandbox();
  extra.push(copy);
  rmSync(copy.dir, { recursive: true });
  cpSync(from.dir, copy.dir, { recursive: true });
  return copy;
}

function savedPath(box: Sandbox): string {
  return join(box.dir, 'head_snapshot');
}

function histogramOf(step: number, isCustom: boolean): FloatHistogram {
  const positive = {
    indexes: [0, 1, 2 + (step % 3)],
    counts: [step, 2 * step, 1],
  };
  const fields = { count: 3 * step + 1, sum: step / 3, positive };
  return new FloatHistogram(
    isCustom ? { ...fields, schema: -53, customBounds: [0.1, 1, 2.5, 10, 11] } : fields,
  );
}

/** One transaction with all that a head keeps. */
function commitStep(db: Tsdb, step: number): void {
  const appender = db.appender();
  const timeMs = EPOCH_MS + step * STEP_MS;
  for (let i = 0; i < 40; i++) {
    const schedule = { targetId: 7 + (i % 3), intervalMs: STEP_MS, phaseMs: i % 3 };
    const ref = appender.series(
      named(`s${i % 8}`, { pod: `pod-${i}`, zone: 'größe'.slice(i % 4) }),
      schedule,
    );
    appender.append(ref, timeMs + (step % 7 === 0 ? i : 0), i % 5 === 0 ? 1 : Math.sin(i * step));
    appender.setMetadata(ref, { type: 'gauge', help: `of ${i % 3}`, unit: '' });
    if (i % 4 !== 0) continue;
    const labels = Labels.fromRecord({ trace: `${step}-${i}` });
    appender.appendExemplar(ref, { labels, value: step, timeMs, hasTimestamp: true });
  }
  for (const [name, isFloat, isCustom] of [
    ['hi', false, false],
    ['hf', true, false],
    ['hc', false, true],
  ] as const)
    // prettier-ignore
    appender.appendHistogram(appender.series(named(name)), timeMs, nativeOf(histogramOf(step + 1, isCustom), isFloat));
  const late = appender.series(named('late'));
  appender.append(late, timeMs, step);
  appender.append(late, timeMs - 60_000 - step, -step);
  appender.appendHistogram(appender.series(named('hi')), timeMs - 33, nativeOf(histogramOf(1, false), false));
  if (step % 50 === 0) appender.append(appender.series(named(`only${step}`)), timeMs, step);
  appender.commit();
}

async function fill(db: Tsdb): Promise<void> {
  for (let step = 0; step < STEPS; step++) commitStep(db, step);
  await db.deleteSeries([new Matcher('=', METRIC_NAME, 's3')], EPOCH_MS + 20_000, EPOCH_MS + 70_000);
  const lost = db.appender();
  lost.append(lost.series(named('rolled', { back: '1' })), EPOCH_MS + STEPS * STEP_MS, 1);
  lost.rollback();
  const unfinished = db.appender();
  unfinished.append(unfinished.series(named('unpublished')), EPOCH_MS + STEPS * STEP_MS, 1);
  unfinished.append(
    unfinished.series(named('s0', { pod: 'pod-0', zone: 'größe' })),
    EPOCH_MS + STEPS * STEP_MS,
    1,
  );
}

/** All that can be asked of a database; whose time an exemplar has is not in the log. */
async function contentOf(db: Tsdb): Promise<unknown> {
  const series: unknown[] = [];
  const set = await db.select(anything, -1e15, 1e15);
  while (set.next()) {
    const chunks = set.chunks.map((chunk) => ({ ...chunk, data: Buffer.from(chunk.data).toString('hex') }));
    series.push([set.labels.toMetric(), set.schedule, chunks, db.metadataOf(set.labels)]);
  }
  const { headSeries, headChunks, headLabelPairs, headMinTimeMs, headMaxTimeMs, cardinality } = db.status();
  const exemplars = await db.selectExemplars(MATCH_ALL, -1e15, 1e15);
  return {
    series,
    exemplars: exemplars.map(({ labels, exemplars: all }) => [labels.toMetric(), all.map((one) => ({ ...one, labels: one.labels.toMetric(), hasTimestamp: undefined }))]), // prettier-ignore
    status: { headSeries, headChunks, headLabelPairs, headMinTimeMs, headMaxTimeMs, cardinality },
    names: await db.labelNames([], -1e15, 1e15),
    pods: (await db.labelValues('pod', [], -1e15, 1e15)).toSorted(),
    targets: [...db.seriesByTarget()].toSorted(([a], [b]) => a - b),
  };
}

/** A folder as close() leaves it, and what it holds. */
async function closedFolder(): Promise<unknown> {
  const db = await open(sandbox);
  await fill(db);
  await db.close();
  return contentOf(await open(copied(sandbox), { headSnapshot: false }));
}

describe('a start from the saved head', () => {
  test('has all that a replay has, and goes on in the same way', async () => {
    const want = await closedFolder();
    const replayed = await open(copied(sandbox), { headSnapshot: false });
    expect(messages).not.toContain(LOADED);
    const loaded = await open(sandbox);
    expect(messages).toContain(LOADED);
    expect(existsSync(savedPath(sandbox))).toBe(false);
    expect(await contentOf(loaded)).toEqual(want);
    for (const db of [loaded, replayed])
      for (let step = STEPS; step < 2 * STEPS; step++) commitStep(db, step);
    expect(await contentOf(loaded)).toEqual(await contentOf(replayed));
    expect(loaded.status().corruptions).toEqual([]);
  });

  test('after several restarts, a cut and new series in old slots', async () => {
    const short = { blockDurationMs: MINUTE_MS };
    let db = await open(sandbox, short);
    for (let round = 0; round < 6; round++) {
      for (let step = 0; step < 15; step++) {
        commitStep(db, round * 15 + step);
        put(db, EPOCH_MS + (round * 15 + step) * STEP_MS, { [`churn${round}`]: step });
      }
      await db.maintain();
      const want = await contentOf(db);
      await db.close();
      db = await open(sandbox, short);
      expect(messages).toContain(LOADED);
      expect(await contentOf(db)).toEqual(want);
    }
    expect(db.status().blocks.length).toBeGreaterThan(1);
  });

  test('reads chunks of the files that it kept, and new files do not meet them', async () => {
    let db = await open(sandbox);
    await fill(db);
    await db.close();
    const files = (): string[] => readdirSync(join(sandbox.dir, 'chunks_head'));
    expect(files()).toEqual(['000001']);
    writeFileSync(join(sandbox.dir, 'chunks_head', '000009'), 'left');
    db = await open(sandbox);
    expect(messages).toContain(LOADED);
    expect(files()).toEqual(['000001']);
    for (let step = STEPS; step < 2 * STEPS; step++) commitStep(db, step);
    await db.close();
    expect(files()).toEqual(['000001', '000002']);
    const want = await contentOf(await open(copied(sandbox), { headSnapshot: false }));
    expect(await contentOf(await open(sandbox))).toEqual(want);
  });

  test('replays what came after a file that a crash left', async () => {
    let db = await open(sandbox);
    await fill(db);
    await db.close();
    const left = copied(sandbox);
    db = await open(sandbox);
    for (let step = STEPS; step < STEPS + 40; step++) commitStep(db, step);
    await db.deleteSeries([new Matcher('=', METRIC_NAME, 's1')], EPOCH_MS, EPOCH_MS + 30_000);
    const crashed = copied(sandbox);
    const want = await contentOf(db);
    cpSync(savedPath(left), savedPath(crashed));
    expect(await contentOf(await open(crashed))).toEqual(want);
    expect(messages).toContain(LOADED);
  });
});

/** Where frames begin, the file's head and the end included. */
function framesOf(bytes: Buffer): number[] {
  const frames = [0];
  for (let at = 8; at < bytes.length; at += 8 + bytes.readUInt32LE(at)) frames.push(at);
  return frames;
}

describe('a saved head that is not whole', () => {
  test('is not used, wherever it is damaged or cut off', async () => {
    const want = await closedFolder();
    const bytes = readFileSync(savedPath(sandbox));
    const frames = framesOf(bytes);
    expect(frames.length).toBeGreaterThan(14);
    const check = async (damaged: Buffer): Promise<void> => {
      const box = copied(sandbox);
      writeFileSync(savedPath(box), damaged);
      const db = await open(box);
      expect(messages).toContain(REFUSED);
      expect(db.collect()['prometheus_tsdb_snapshot_replay_error_total']).toBe(1);
      expect(existsSync(savedPath(box))).toBe(false);
      expect(await contentOf(db)).toEqual(want);
      await db.close();
      rmSync(box.dir, { recursive: true });
    };
    for (const [i, at] of frames.entries()) {
      const middle = at + Math.floor(((frames[i + 1] ?? bytes.length) - at) / 2);
      const damaged = Buffer.from(bytes);
      damaged[i % 2 === 0 ? middle : at + 5]! ^= 0x20;
      await check(damaged);
      await check(bytes.subarray(0, i % 2 === 0 ? at : middle));
    }
    await check(Buffer.concat([bytes, Buffer.of(0)]));
  }, 120_000);

  test('or does not fit is not used', async () => {
    const want = await closedFolder();
    const changes: [string, (box: Sandbox) => void, Partial<OpenOptions>?][] = [
      ['other options', () => {}, { exemplarsMax: 50 }],
      ['a longer segment', (box) => writeFileSync(lastSegment(box, 'wal'), Buffer.alloc(40), { flag: 'a' })],
      [
        'a shorter segment',
        (box) => truncateSync(lastSegment(box, 'wal'), statSync(lastSegment(box, 'wal')).size - 1),
      ],
      ['no log of late samples', (box) => rmSync(join(box.dir, 'wbl'), { recursive: true })],
      ['no head chunks', (box) => rmSync(join(box.dir, 'chunks_head'), { recursive: true })],
      ['a shorter head chunk file', (box) => truncateSync(join(box.dir, 'chunks_head', '000001'), 100)],
    ];
    for (const [name, change, others] of changes) {
      const box = copied(sandbox);
      change(box);
      const db = await open(box, others);
      expect([name, messages.includes(REFUSED), existsSync(savedPath(box))]).toEqual([name, true, false]);
      if (name.includes('head chunk')) expect(await contentOf(db)).toEqual(want);
    }
  });
});

function lastSegment(box: Sandbox, folder: string): string {
  const segments = readdirSync(join(box.dir, folder)).filter((name) => /^\d+$/.test(name));
  return join(box.dir, folder, segments.toSorted().at(-1)!);
}

describe('the head is not saved', () => {
  test('when the disk refuses; nothing is left behind, and the next start replays', async () => {
    let full = false;
    const io: Io = {
      ...diskIo,
      write(fd, bytes) {
        if (full && bytes.length > 2000) throw new Error('ENOSPC');
        diskIo.write(fd, bytes);
      },
    };
    const db = await open(sandbox, { io });
    await fill(db);
    full = true;
    await db.close();
    expect(readdirSync(sandbox.dir).filter((name) => name.startsWith('head_snapshot'))).toEqual([]);
    expect(messages.some((message) => message.startsWith('head: not saved'))).toBe(true);
    const want = await contentOf(await open(copied(sandbox), { headSnapshot: false }));
    expect(await contentOf(await open(sandbox))).toEqual(want);
  });

  test('when a chunk of it was damaged: the WAL has it', async () => {
    let db = await open(sandbox);
    await fill(db);
    await db.close();
    const want = await contentOf(await open(copied(sandbox), { headSnapshot: false }));
    const path = join(sandbox.dir, 'chunks_head', '000001');
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(path, bytes);
    db = await open(sandbox);
    expect(await contentOf(db)).not.toEqual(want);
    await db.close();
    expect(existsSync(savedPath(sandbox))).toBe(false);
    expect(await contentOf(await open(sandbox))).toEqual(want);
  });
});
