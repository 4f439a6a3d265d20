// One process under test: `load.js MODE DIR …` does one thing with our database and prints its figures as JSON.
//
//     write DIR TARGETS SERIES SCRAPES INTERVAL_S   bodies in memory → line cache → head and WAL
//     split DIR TARGETS SERIES SCRAPES             the steps of write apart, in nanoseconds of CPU a sample
//     restart DIR                                   opens the folder, as the last process closed it
//     replay DIR                                    opens the folder, from its WAL
//     query DIR WARM_UPS                            opens the folder, reads every sample of the head, writes a block and reads that
//     churn DIR SERIES ROUNDS                       all series new in each round

import { ColumnArena, ColumnDecoder, DROPPED, HeadKernel, LineCache, LineScanner } from '@flotilla/kernel';
import { Labels } from '@flotilla/model';
import { Engine } from '@flotilla/promql';
import { type Appender, Tsdb } from '@flotilla/tsdb';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { makeBodies } from '../scrape/bodies.ts';
import { decodeColumns, LocalStorage } from './local-storage.ts';

const silent = { info() {}, warn() {}, error() {} };
const ROUNDS = 12;
const YEAR_MS = 365 * 86_400_000;
/** Samples whose columns are held at a time. */
const COLUMNS_MAX = 1 << 20;
/** Of the log and the head's chunk files, about. */
const FILE_BYTES_PER_SAMPLE = 12;
const FILLED_MAX = 2 ** 31;
/** Compilers have done their last work after some forty queries. */
const RATE_WARM_UPS = 40;
/** Measured together, since a collection of garbage falls into one of some. */
const RATE_QUERIES = 10;

interface Figures {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** Of those, what is not the system's. */
  readonly userSeconds: number;
  readonly samples: number;
  readonly [name: string]: number;
}

const [mode, dir = '', ...numbers] = process.argv.slice(2);
const [a = 0, b = 0, c = 0, d = 0] = numbers.map(Number);
const modes: Record<string, () => Promise<Figures>> = {
  write: () => write(a, b, c, d),
  split: () => split(a, b, c),
  restart: () => startOf(true),
  replay: () => startOf(false),
  query: () => query(a),
  churn: () => churn(a, b),
};
console.log(JSON.stringify(await modes[mode!]!()));

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function measured(work: () => Promise<number>): Promise<Figures> {
  const before = process.cpuUsage();
  const start = performance.now();
  const samples = await work();
  const { user, system } = process.cpuUsage(before);
  const wallSeconds = (performance.now() - start) / 1000;
  return { wallSeconds, cpuSeconds: (user + system) / 1e6, userSeconds: user / 1e6, samples };
}

/** Resident bytes once garbage is gone. */
function settledBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage.rss();
}

function open(headSnapshot = true): Promise<Tsdb> {
  return Tsdb.open({
    dir,
    retentionMs: 100 * YEAR_MS,
    headSnapshot,
    log: silent,
    clock: () => Date.now() + YEAR_MS,
  });
}

/** Series text as in the bodies → labels of one target. Values have no escapes. */
function labelsOf(text: string, target: number): Labels {
  const brace = text.indexOf('{');
  const pairs: [string, string][] = [['__name__', text.slice(0, brace)], ['instance', `10.0.0.${target}:80`], ['job', 'load']]; // prettier-ignore
  for (const [, name, value] of text.slice(brace).matchAll(/(\w+)="([^"]*)"/g)) pairs.push([name!, value!]);
  return Labels.fromPairs(pairs);
}

async function write(
  targets: number,
  series: number,
  scrapes: number,
  intervalSeconds: number,
): Promise<Figures> {
  const db = await open();
  const scanner = new LineScanner();
  const caches = Array.from({ length: targets }, () => new LineCache(scanner));
  const { rounds } = makeBodies(series, ROUNDS);
  const appender = db.appender();
  const startMs = Math.floor(Date.now() / 7_200_000) * 7_200_000;
  const scrape = (round: number): number => {
    let taken = 0;
    for (let target = 0; target < targets; target++) {
      const body = rounds[(round + target) % ROUNDS]!;
      caches[target]!.scan(body);
      learn(scanner, caches[target]!, appender, body, target);
      const timeMs = startMs + round * intervalSeconds * 1000 + target * 17;
      taken += appender.appendBatch(scanner.refs, scanner.values, scanner.sampleCount, timeMs);
      caches[target]!.commit();
      appender.commit();
    }
    return taken;
  };
  // The first two scrapes create the series; what is measured is the steady state.
  const created = await measured(async () => scrape(0) + scrape(1));
  touchPageCache(created.samples * (scrapes / 2) * FILE_BYTES_PER_SAMPLE);
  const steady = await measured(async () => {
    let samples = 0;
    for (let round = 2; round < scrapes; round++) samples += scrape(round);
    return samples;
  });
  const memoryBytes = settledBytes();
  const { walBytes } = db.status(0);
  const { wallSeconds: closeSeconds } = await closed(db);
  return { ...steady, createSeconds: created.cpuSeconds, memoryBytes, walBytes, closeSeconds };
}

/**
 * Fills a file and removes it: what is written next gets its pages. On a virtual machine the host makes each page that is touched
 * for the first time, which takes longer than all else that becomes of its samples, and happens once in the machine's life.
 */
function touchPageCache(bytes: number): void {
  const path = join(dir, 'touched');
  const fd = openSync(path, 'w');
  const block = new Uint8Array(1 << 20);
  for (let left = Math.min(bytes, FILLED_MAX); left > 0; left -= block.length) writeSync(fd, block);
  closeSync(fd);
  rmSync(path);
}

/** What one write of a scrape is made of, without the database around it. */
async function split(targets: number, series: number, scrapes: number): Promise<Figures> {
  const scanner = new LineScanner();
  const caches = Array.from({ length: targets }, () => new LineCache(scanner));
  const { rounds } = makeBodies(series, ROUNDS);
  const kernel = new HeadKernel(() => {});
  mkdirSync(dir, { recursive: true });
  const fd = openSync(join(dir, 'wal'), 'w');
  const nanoseconds: Record<string, number> = {};
  let before = 0;
  const spent = (step: string): void => {
    const now = cpuSeconds();
    nanoseconds[step] = (nanoseconds[step] ?? 0) + (now - before) * 1e9;
    before = now;
  };
  let ref = 0;
  let samples = 0;
  const scrape = (round: number, target: number): void => {
    const body = rounds[(round + target) % ROUNDS]!;
    before = cpuSeconds();
    caches[target]!.scan(body);
    spent('scanNs');
    for (let i = 0; i < scanner.unknownCount; i++) {
      const { start, entry } = scanner.unknown(i);
      if (body[start] !== 35) kernel.createSeries(++ref);
      caches[target]!.learn(entry, body[start] === 35 ? DROPPED : ref);
    }
    const { refs, values, sampleCount } = scanner;
    before = cpuSeconds();
    kernel.stage(1, refs, values, sampleCount, round * 5000 + target * 17, new Uint8Array(sampleCount));
    spent('stageNs');
    kernel.beginFrames(true);
    kernel.frameStaged(1, 0);
    spent('frameNs');
    writeSync(fd, kernel.frames());
    spent('writeNs');
    kernel.apply(1, 0, 7_200_000);
    spent('applyNs');
    caches[target]!.commit();
    spent('cacheNs');
    samples += sampleCount;
  };
  const all = (from: number, to: number): void => {
    for (let round = from; round < to; round++)
      for (let target = 0; target < targets; target++) scrape(round, target);
  };
  all(0, 2);
  samples = 0;
  for (const step of Object.keys(nanoseconds)) nanoseconds[step] = 0;
  const figures = await measured(async () => {
    all(2, scrapes);
    return samples;
  });
  closeSync(fd);
  for (const step of Object.keys(nanoseconds))
    nanoseconds[step] = Math.round((nanoseconds[step]! / samples) * 10) / 10;
  return { ...figures, ...nanoseconds };
}

function learn(
  scanner: LineScanner,
  cache: LineCache,
  appender: Appender,
  body: Buffer,
  target: number,
): void {
  for (let i = 0; i < scanner.unknownCount; i++) {
    const { start, end, entry } = scanner.unknown(i);
    const line = body.toString('latin1', start, end);
    const ref = line.startsWith('#')
      ? DROPPED
      : appender.series(labelsOf(line.slice(0, line.lastIndexOf(' ')), target));
    cache.learn(entry, ref);
  }
}

function closed(db: Tsdb): Promise<Figures> {
  return measured(async () => {
    await db.close();
    return 0;
  });
}

async function startOf(headSnapshot: boolean): Promise<Figures> {
  let db: Tsdb | undefined;
  const figures = await measured(async () => {
    db = await open(headSnapshot);
    return db.status(0).headSeries;
  });
  const memoryBytes = settledBytes();
  const { wallSeconds: closeSeconds } = await closed(db!);
  return { ...figures, memoryBytes, closeSeconds };
}

async function query(warmUps: number): Promise<Figures> {
  const db = await open();
  for (let i = 0; i < warmUps; i++) await readAll(db);
  const head = await measured(() => readAll(db));
  const snapshot = join(dir, 'bench-snapshot');
  const cut = await afterWarmUps(warmUps, async () => {
    rmSync(snapshot, { recursive: true, force: true });
    await db.snapshot(snapshot);
    return head.samples;
  });
  await db.close();
  const copy = await Tsdb.open({ dir: snapshot, retentionMs: 100 * YEAR_MS, log: silent });
  const block = await afterWarmUps(warmUps, () => readAll(copy));
  const rate = await afterWarmUps(RATE_WARM_UPS / RATE_QUERIES, async () => {
    let samples = 0;
    for (let i = 0; i < RATE_QUERIES; i++) samples += await sumOfRates(copy);
    return samples;
  });
  await copy.close();
  return {
    ...block,
    headCpuSeconds: head.cpuSeconds,
    cutCpuSeconds: cut.cpuSeconds,
    chunkBytes: chunkBytes(snapshot),
    rateSamplesPerSecond: Math.round(rate.samples / rate.cpuSeconds),
  };
}

async function afterWarmUps(warmUps: number, work: () => Promise<number>): Promise<Figures> {
  for (let i = 0; i < warmUps; i++) await work();
  return measured(work);
}

/** Decodes every sample, as a querier does, and sums it; returns how many there are. */
async function readAll(db: Tsdb): Promise<number> {
  const set = await db.select([], 0, 2 ** 53, { packed: true });
  let arena = new ColumnArena();
  let decoder = new ColumnDecoder(arena);
  let samples = 0;
  let sum = 0;
  let held = 0;
  while (set.next()) {
    decodeColumns(decoder, set, 0, 2 ** 53);
    const { values } = decoder;
    for (let i = 0; i < values.length; i++) sum += values[i]!;
    samples += values.length;
    held += values.length;
    if (held < COLUMNS_MAX) continue;
    held = 0;
    arena.release();
    arena = new ColumnArena();
    decoder = new ColumnDecoder(arena);
  }
  arena.release();
  if (Number.isNaN(sum)) throw new Error('sum is NaN');
  return samples;
}

/** A query of the engine, over a good many of the series and all of their samples; returns how many those are. */
async function sumOfRates(db: Tsdb): Promise<number> {
  const storage = new LocalStorage(db);
  const endMs = db.status(0).blocks[0]!.maxTimeMs - 1;
  const window = { startMs: endMs - 600_000, endMs, stepMs: 60_000 };
  const engine = new Engine({ maxSamples: 1e9 });
  await engine.range(
    { expr: 'sum(rate(http_request_duration_seconds_bucket{handler="/api/1"}[1m]))', ...window },
    storage,
  );
  const { samples } = storage;
  storage.release();
  return samples;
}

function chunkBytes(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  const chunks = files.filter((file) => file.isFile() && file.parentPath.endsWith('chunks'));
  return chunks.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
}

async function churn(series: number, rounds: number): Promise<Figures> {
  const db = await Tsdb.open({ dir, retentionMs: 1, blockDurationMs: 60_000, log: silent, clock: () => Date.now() + YEAR_MS }); // prettier-ignore
  const startMs = Math.floor(Date.now() / 60_000) * 60_000;
  const memory: number[] = [];
  const figures = await measured(async () => {
    for (let round = 0; round < rounds; round++) {
      const appender = db.appender();
      const refs = Uint32Array.from({ length: series }, (_, i) =>
        appender.series(
          Labels.fromRecord({ __name__: 'churn', pod: `pod-${round}-${i}`, node: `node-${i % 100}` }),
        ),
      );
      for (let t = 0; t < 60_000; t += 10_000) {
        appender.appendBatch(refs, Float64Array.from(refs), series, startMs + round * 60_000 + t);
        appender.commit();
      }
      await db.maintain();
      memory.push(settledBytes());
    }
    return series * rounds * 6;
  });
  await db.close();
  return { ...figures, thirdBytes: memory[2]!, mostBytes: Math.max(...memory), lastBytes: memory.at(-1)! };
}
