import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Matcher, METRIC_NAME } from '@flotilla/model';
import { cpSync } from 'node:fs';
import { inspect, isDeepStrictEqual } from 'node:util';
import { appendCode, type CorruptionStatus } from './api.ts';
import { diskIo, type Io } from './io.ts';
import { EPOCH_MS, MINUTE_MS, named, type Point, read, Sandbox } from './testing/sandbox.ts';
import type { Tsdb } from './tsdb.ts';

// A database against a map from series to points, under random transactions, restarts and maintenance. Half of them take
// late samples.

const SERIES = 6;
const LATE_WINDOW_MS = 5 * MINUTE_MS;
const SEED = Number(process.env['FLOTILLA_MODEL_SEED'] ?? 2026);
const RUNS = Number(process.env['FLOTILLA_MODEL_RUNS'] ?? 500);
/** Nothing pulls the plug here, and a sync costs milliseconds. */
const io: Io = { ...diskIo, sync() {}, syncLater: (_fd, done) => done(null), syncFolder() {} };
const options = { io, blockDurationMs: MINUTE_MS, walSegmentBytes: 2000, retentionMs: 1e12 };

interface Transaction {
  kind: 'commit' | 'rollback';
  advanceMs: number;
  samples: [series: number, back: number, bits: bigint][];
}
interface Deletion {
  kind: 'delete';
  series: number;
  back: number;
  widthMs: number;
}
type Other = { kind: 'restart' } | { kind: 'crash' } | { kind: 'maintain' } | { kind: 'clean' };
type Step = Transaction | Deletion | Other;

interface Sequence {
  lateWindowMs: number;
  steps: Step[];
}

interface Staged {
  name: string;
  point: Point;
  isLate: boolean;
}

/** What there must be at one time. */
interface Cell {
  /** One of these: which of several late ones stays is not promised. */
  values: bigint[];
  /** Whether there may be none, too: a late sample in a range that was deleted before it came. */
  isOptional: boolean;
}

class Model {
  readonly lateWindowMs: number;
  readonly cells = new Map<string, Map<number, Cell>>();
  private readonly deleted = new Map<string, [fromMs: number, toMs: number][]>();
  /** Of those that came in order, deleted or not. */
  private readonly newest = new Map<string, Point>();
  private maxTimeMs = -Infinity;

  constructor(lateWindowMs: number) {
    this.lateWindowMs = lateWindowMs;
  }

  /** What the database must answer, given what the transaction has staged so far. */
  judge(staged: readonly Staged[], name: string, [timeMs, bits]: Point): { code: number; isLate: boolean } {
    const takesLate = this.lateWindowMs > 0 && timeMs >= this.maxTimeMs - this.lateWindowMs;
    const inTime = staged.findLast((one) => one.name === name && !one.isLate)?.point;
    const newest = inTime ?? this.newest.get(name);
    const isTooOld = timeMs < this.maxTimeMs - MINUTE_MS / 2;
    if (isTooOld || (newest !== undefined && timeMs < newest[0])) {
      if (takesLate) return { code: appendCode.ok, isLate: true };
      return { code: isTooOld ? appendCode.tooOld : appendCode.outOfOrder, isLate: false };
    }
    const isDuplicate = newest !== undefined && timeMs === newest[0] && bits !== newest[1];
    return { code: isDuplicate ? appendCode.duplicate : appendCode.ok, isLate: false };
  }

  delete(name: string, fromMs: number, toMs: number): void {
    const cells = this.cells.get(name);
    for (const timeMs of cells?.keys() ?? []) if (timeMs >= fromMs && timeMs <= toMs) cells!.delete(timeMs);
    this.deleted.set(name, [...(this.deleted.get(name) ?? []), [fromMs, toMs]]);
  }

  commit(samples: readonly Staged[]): void {
    for (const { name, point, isLate } of samples) {
      const [timeMs, bits] = point;
      if (isLate) this.addLate(name, timeMs, bits);
      else if (timeMs > (this.newest.get(name)?.[0] ?? -Infinity)) {
        this.cellsOf(name).set(timeMs, { values: [bits], isOptional: false });
        this.newest.set(name, point);
      }
      if (!isLate) this.maxTimeMs = Math.max(this.maxTimeMs, timeMs);
    }
  }

  private addLate(name: string, timeMs: number, bits: bigint): void {
    const cells = this.cellsOf(name);
    const cell = cells.get(timeMs);
    const isOptional = this.deleted.get(name)?.some(([from, to]) => timeMs >= from && timeMs <= to) ?? false;
    if (cell === undefined) cells.set(timeMs, { values: [bits], isOptional });
    else cell.values.push(bits);
  }

  private cellsOf(name: string): Map<number, Cell> {
    const cells = this.cells.get(name) ?? new Map<number, Cell>();
    this.cells.set(name, cells);
    return cells;
  }

  /** Throws if that is not what there must be. */
  check(got: ReadonlyMap<string, readonly Point[]>): void {
    const names = [...got.keys()];
    mustEqual('order of series', names, names.toSorted());
    for (const name of new Set([...names, ...this.cells.keys()])) {
      const cells = this.cells.get(name) ?? new Map<number, Cell>();
      const points = got.get(name) ?? [];
      const times = points.map(([timeMs]) => timeMs);
      const want = [...cells.keys()].filter(
        (timeMs) => !cells.get(timeMs)!.isOptional || times.includes(timeMs),
      );
      want.sort((a, b) => a - b);
      mustEqual(`${name}: times`, times, want);
      for (const [timeMs, bits] of points) {
        const { values } = cells.get(timeMs)!;
        if (!values.includes(bits)) throw new Error(`${name} at ${timeMs}: ${bits}, want one of ${values}`);
      }
    }
  }
}

/** As expect() does, which costs more than what it looks at here. */
function mustEqual(what: string, got: unknown, want: unknown): void {
  if (!isDeepStrictEqual(got, want)) throw new Error(`${what}: got ${inspect(got)}, want ${inspect(want)}`);
}

const seriesNames = Array.from({ length: SERIES }, (_, i) => `s${i}`);
const seriesLabels = seriesNames.map((name) => named(name));

// One sample, as a batch of one: a real caller has such arrays, too, and uses them again.
const refs = new Uint32Array(1);
const values = new Float64Array(1);
const valueBits = new BigUint64Array(values.buffer);
const codes = new Uint8Array(1);

function transact(db: Tsdb, model: Model, nowMs: number, step: Transaction): void {
  const appender = db.appender();
  const staged: Staged[] = [];
  for (const [series, back, bits] of step.samples) {
    const name = seriesNames[series]!;
    const point: Point = [nowMs - back, bits];
    const { code, isLate } = model.judge(staged, name, point);
    refs[0] = appender.series(seriesLabels[series]!);
    valueBits[0] = bits;
    appender.appendBatch(refs, values, 1, point[0], codes);
    mustEqual(`${name} at ${point[0]}: code`, codes[0], code);
    if (code === appendCode.ok) staged.push({ name, point, isLate });
  }
  if (step.kind === 'rollback') return appender.rollback();
  appender.commit();
  return model.commit(staged);
}

const bits = fc.oneof(
  fc.constantFrom(0n, 0x3ff0000000000000n, 0x7ff0000000000002n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const back = fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(40_000) });
const backLate = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.nat(40_000) },
  { weight: 2, arbitrary: fc.nat(LATE_WINDOW_MS + 40_000) },
);
const transactionWith = (age: fc.Arbitrary<number>): fc.Arbitrary<Transaction> =>
  fc.record({
    kind: fc.constantFrom('commit' as const, 'commit' as const, 'commit' as const, 'rollback' as const),
    advanceMs: fc.oneof(fc.constant(1000), fc.nat(20_000), fc.constant(70_000)),
    samples: fc.array(fc.tuple(fc.nat(SERIES - 1), age, bits), { maxLength: 8 }),
  });
const deletion = fc.record({
  kind: fc.constant('delete' as const),
  series: fc.nat(SERIES - 1),
  back: fc.nat(300_000),
  widthMs: fc.nat(100_000),
});
const other = fc.constantFrom<Step>(
  { kind: 'restart' },
  { kind: 'maintain' },
  { kind: 'maintain' },
  { kind: 'crash' },
  { kind: 'clean' },
);
const stepsWith = (age: fc.Arbitrary<number>): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof<fc.WeightedArbitrary<Step>[]>(
      { weight: 16, arbitrary: transactionWith(age) },
      { weight: 1, arbitrary: deletion },
      { weight: 2, arbitrary: other },
    ),
    { minLength: 20, maxLength: 60 },
  );
const sequence: fc.Arbitrary<Sequence> = fc.oneof(
  fc.record({ lateWindowMs: fc.constant(0), steps: stepsWith(back) }),
  fc.record({ lateWindowMs: fc.constant(LATE_WINDOW_MS), steps: stepsWith(backLate) }),
);

/** Throws if the database has something else than the model in the end; returns what it found damaged. */
async function run({ lateWindowMs, steps }: Sequence): Promise<readonly CorruptionStatus[]> {
  const ownOptions = { ...options, outOfOrderWindowMs: lateWindowMs };
  const model = new Model(lateWindowMs);
  let sandbox = Sandbox.inMemory();
  try {
    let db = await sandbox.tsdb(ownOptions);
    let nowMs = EPOCH_MS;
    for (const step of steps) {
      if (step.kind === 'maintain') await db.maintain();
      else if (step.kind === 'clean') await db.cleanTombstones();
      else if (step.kind === 'delete') {
        const [name, from] = [seriesNames[step.series]!, nowMs - step.back];
        await db.deleteSeries([new Matcher('=', METRIC_NAME, name)], from, from + step.widthMs);
        model.delete(name, from, from + step.widthMs);
      } else if (step.kind === 'crash') {
        const survivor = Sandbox.inMemory();
        cpSync(sandbox.dir, survivor.dir, { recursive: true });
        await sandbox.remove();
        sandbox = survivor;
        db = await sandbox.tsdb(ownOptions);
      } else if (step.kind === 'restart') {
        await db.close();
        db = await sandbox.tsdb(ownOptions);
      } else {
        nowMs += step.advanceMs;
        transact(db, model, nowMs, step);
      }
    }
    model.check(await read(db));
    return db.status().corruptions;
  } finally {
    await sandbox.remove();
  }
}

describe('the database', () => {
  test(`holds what a map holds, through transactions, restarts and maintenance: ${RUNS} sequences of seed ${SEED}`, async () => {
    const property = fc.asyncProperty(sequence, async (one) => {
      expect(await run(one)).toEqual([]);
    });
    await fc.assert(property, { seed: SEED, numRuns: RUNS });
  }, 14_400_000);
});
