import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Matcher, METRIC_NAME } from '@flotilla/model';
import { cpSync } from 'node:fs';
import { appendCode } from './api.ts';
import { diskIo, type Io } from './io.ts';
import { EPOCH_MS, MINUTE_MS, named, type Point, read, Sandbox } from './testing/sandbox.ts';
import type { Tsdb } from './tsdb.ts';

// A database against a map from series to points, under random transactions, restarts and maintenance.

const SERIES = 6;
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

class Model {
  readonly points = new Map<string, Point[]>();
  /** Deleted or not. */
  private readonly newest = new Map<string, Point>();
  maxTimeMs = -Infinity;

  /** What the database must answer, given what the transaction has staged so far. */
  codeOf(staged: Map<string, Point>, name: string, [timeMs, bits]: Point): number {
    if (timeMs < this.maxTimeMs - MINUTE_MS / 2) return appendCode.tooOld;
    const newest = staged.get(name) ?? this.newest.get(name);
    if (newest === undefined || timeMs > newest[0]) return appendCode.ok;
    if (timeMs < newest[0]) return appendCode.outOfOrder;
    return bits === newest[1] ? appendCode.ok : appendCode.duplicate;
  }

  delete(name: string, fromMs: number, toMs: number): void {
    const points = this.points.get(name) ?? [];
    this.points.set(
      name,
      points.filter(([t]) => t < fromMs || t > toMs),
    );
  }

  commit(samples: readonly [string, Point][]): void {
    for (const [name, point] of samples) {
      const points = this.points.get(name) ?? [];
      this.points.set(name, points);
      if (point[0] > (this.newest.get(name)?.[0] ?? -Infinity)) {
        points.push(point);
        this.newest.set(name, point);
      }
      this.maxTimeMs = Math.max(this.maxTimeMs, point[0]);
    }
  }
}

function transact(db: Tsdb, model: Model, nowMs: number, step: Transaction): void {
  const appender = db.appender();
  const staged = new Map<string, Point>();
  const taken: [string, Point][] = [];
  const value = new Float64Array(1);
  const bits = new BigUint64Array(value.buffer);
  for (const [series, back, raw] of step.samples) {
    const name = `s${series}`;
    const point: Point = [nowMs - back, raw];
    const ref = appender.series(named(name));
    const want = model.codeOf(staged, name, point);
    const codes = new Uint8Array(1);
    bits[0] = raw;
    appender.appendBatch(Uint32Array.of(ref), value, 1, point[0], codes);
    expect(codes[0]).toBe(want);
    if (want !== appendCode.ok) continue;
    staged.set(name, point);
    taken.push([name, point]);
  }
  if (step.kind === 'rollback') return appender.rollback();
  appender.commit();
  return model.commit(taken);
}

const bits = fc.oneof(
  fc.constantFrom(0n, 0x3ff0000000000000n, 0x7ff0000000000002n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const back = fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(40_000) });
const transaction = fc.record({
  kind: fc.constantFrom('commit' as const, 'commit' as const, 'commit' as const, 'rollback' as const),
  advanceMs: fc.oneof(fc.constant(1000), fc.nat(20_000), fc.constant(70_000)),
  samples: fc.array(fc.tuple(fc.nat(SERIES - 1), back, bits), { maxLength: 8 }),
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
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof<fc.WeightedArbitrary<Step>[]>(
    { weight: 16, arbitrary: transaction },
    { weight: 1, arbitrary: deletion },
    { weight: 2, arbitrary: other },
  ),
  { minLength: 20, maxLength: 60 },
);

describe('the database', () => {
  test('holds what a map holds, through transactions, restarts and maintenance', async () => {
    const property = fc.asyncProperty(steps, async (all) => {
      let sandbox = Sandbox.inMemory();
      const crashed: Sandbox[] = [];
      try {
        let db = await sandbox.tsdb(options);
        const model = new Model();
        let nowMs = EPOCH_MS;
        for (const step of all) {
          if (step.kind === 'maintain') await db.maintain();
          else if (step.kind === 'clean') await db.cleanTombstones();
          else if (step.kind === 'delete') {
            const [name, from] = [`s${step.series}`, nowMs - step.back];
            await db.deleteSeries([new Matcher('=', METRIC_NAME, name)], from, from + step.widthMs);
            model.delete(name, from, from + step.widthMs);
          } else if (step.kind === 'crash') {
            const survivor = Sandbox.inMemory();
            cpSync(sandbox.dir, survivor.dir, { recursive: true });
            crashed.push(sandbox);
            sandbox = survivor;
            db = await sandbox.tsdb(options);
          } else if (step.kind === 'restart') {
            await db.close();
            db = await sandbox.tsdb(options);
          } else {
            nowMs += step.advanceMs;
            transact(db, model, nowMs, step);
          }
        }
        const names = [...model.points.keys()]
          .filter((name) => model.points.get(name)!.length > 0)
          .toSorted();
        const got = await read(db);
        expect([...got.keys()]).toEqual(names);
        for (const name of names) expect(got.get(name)).toEqual(model.points.get(name));
        expect(db.status().corruptions).toEqual([]);
      } finally {
        for (const one of [sandbox, ...crashed]) await one.remove();
      }
    });
    await fc.assert(property, { seed: SEED, numRuns: RUNS });
  }, 14_400_000);
});
