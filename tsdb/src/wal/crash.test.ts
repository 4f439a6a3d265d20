import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { crc32c, HeadKernel } from '@flotilla/kernel';
import { Matcher, METRIC_NAME, Unavailable } from '@flotilla/model';
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { zstdCompressSync } from 'node:zlib';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { diskIo, type Io } from '../io.ts';
import { EPOCH_MS, MINUTE_MS, named, put, readNumbers, Sandbox } from '../testing/sandbox.ts';
import { encodeSeries } from './records.ts';
import { segmentPath } from './segment-files.ts';

/** The WAL is what a start has. */
const replaying = { headSnapshot: false };

let sandbox: Sandbox;
const extra: Sandbox[] = [];

beforeEach(() => {
  sandbox = new Sandbox();
});

afterEach(async () => {
  for (const one of [sandbox, ...extra.splice(0)]) await one.remove();
});

/** Another sandbox with a copy of the first one's files. */
function copied(): Sandbox {
  const copy = new Sandbox();
  extra.push(copy);
  cpSync(sandbox.dir, copy.dir, { recursive: true });
  return copy;
}

function walFile(box: Sandbox): string {
  return segmentPath(join(box.dir, 'wal'), 0);
}

/** Three transactions, a=1 b=1, a=2 b=2, a=3 b=3; returns the WAL's size after each. */
async function threeTransactions(): Promise<number[]> {
  const db = await sandbox.tsdb();
  const sizes = [1, 2, 3].map((i) => {
    put(db, EPOCH_MS + i, { a: i, b: i });
    return db.status().walBytes;
  });
  await db.close();
  return sizes;
}

function expected(...values: number[]): Record<string, [number, number][]> {
  const points = values.map((v): [number, number] => [EPOCH_MS + v, v]);
  return { a: points, b: points };
}

describe('a torn tail', () => {
  test('is cut off wherever the last record was torn, and what comes after it is kept', async () => {
    const [, second, third] = await threeTransactions();
    for (let size = second!; size < third!; size += 3) {
      const box = copied();
      truncateSync(walFile(box), size);
      let db = await box.tsdb();
      expect(db.status().corruptions).toEqual([]);
      expect(await readNumbers(db)).toEqual(expected(1, 2));
      put(db, EPOCH_MS + 4, { a: 4, b: 4 });
      await db.close();
      db = await box.tsdb();
      expect(await readNumbers(db)).toEqual(expected(1, 2, 4));
      expect(db.status().corruptions).toEqual([]);
      await db.close();
    }
  });

  test('may be the rest of a page of zeros', async () => {
    await threeTransactions();
    truncateSync(walFile(sandbox), 64 << 10);
    const db = await sandbox.tsdb();
    expect(db.status().corruptions).toEqual([]);
    expect(await readNumbers(db)).toEqual(expected(1, 2, 3));
  });
});

describe('damage', () => {
  test('costs the record that it hit; the file is put aside, reported once, and the start goes on', async () => {
    const [first, second] = await threeTransactions();
    const bytes = readFileSync(walFile(sandbox));
    for (const at of [first!, first! + 1, first! + 3, first! + 20, second! - 1]) {
      const box = copied();
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 0x41;
      writeFileSync(walFile(box), damaged);
      let db = await box.tsdb(replaying);
      expect(await readNumbers(db)).toEqual(expected(1, 3));
      const { corruptions } = db.status();
      expect(corruptions).toHaveLength(1);
      expect(corruptions[0]).toMatchObject({ path: walFile(box), movedTo: `${walFile(box)}.corrupt-0` });
      expect(db.collect()['prometheus_tsdb_wal_corruptions_total']).toBe(1);
      expect(readFileSync(`${walFile(box)}.corrupt-0`).equals(damaged)).toBe(true);
      await db.close();
      db = await box.tsdb(replaying);
      expect(await readNumbers(db)).toEqual(expected(1, 3));
      expect(db.status().corruptions).toEqual([]);
      await db.close();
    }
  });

  test('of the series record loses its samples, and nothing else', async () => {
    await threeTransactions();
    const bytes = readFileSync(walFile(sandbox));
    bytes[9]! ^= 1;
    writeFileSync(walFile(sandbox), bytes);
    const db = await sandbox.tsdb(replaying);
    expect(await readNumbers(db)).toEqual({});
    put(db, EPOCH_MS + 9, { a: 9 });
    expect(await readNumbers(db)).toEqual({ a: [[EPOCH_MS + 9, 9]] });
  });

  test('all over the file never refuses a start', async () => {
    await threeTransactions();
    const bytes = readFileSync(walFile(sandbox));
    for (let at = 0; at < bytes.length; at += 7) {
      const box = copied();
      const damaged = Buffer.from(bytes);
      for (let i = at; i < bytes.length; i += 31) damaged[i] = (damaged[i]! + 1 + i) & 0xff;
      writeFileSync(walFile(box), damaged);
      const db = await box.tsdb(replaying);
      put(db, EPOCH_MS + 9, { z: 9 });
      expect((await readNumbers(db))['z']).toEqual([[EPOCH_MS + 9, 9]]);
      await db.close();
    }
  });
});

describe('kill -9', () => {
  const child = fileURLToPath(new URL('../testing/crash-child.js', import.meta.url));

  /** Runs the child until it has acknowledged `want` more transactions; returns the last one acknowledged. */
  async function runAndKill(want: number): Promise<number> {
    const writer: ChildProcess = spawn(process.execPath, [child, sandbox.dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    const exited = new Promise((resolve) => writer.once('exit', resolve));
    writer.stdout!.on('data', (data: Buffer) => {
      output += data.toString();
      if (output.split('\n').length > want) writer.kill('SIGKILL');
    });
    await exited;
    return Number(output.split('\n').at(-2));
  }

  test('loses nothing that was acknowledged, round after round', async () => {
    const kills = Number(process.env['FLOTILLA_KILLS'] ?? 3);
    for (let kill = 0; kill < kills; kill++) {
      const want = [1, 40, 333, 7, 120][kill % 5]!;
      const acknowledged = await runAndKill(want);
      const db = await sandbox.tsdb();
      const { corruptions } = db.status();
      const series = await readNumbers(db);
      await db.close();
      expect(corruptions).toEqual([]);
      for (let s = 0; s < 10; s++) {
        const values = series[`s${s}`]!.map(([, value]) => value);
        expect(values.length).toBeGreaterThan(acknowledged);
        expect(values).toEqual(values.map((_, i) => i));
      }
    }
    expect(readdirSync(join(sandbox.dir, 'wal')).length).toBeGreaterThan(2);
  }, 1_500_000);
});

describe('a full disk', () => {
  /** Writes half of what it is given while it is full. */
  function fullDisk(): Io & { full: boolean } {
    return {
      ...diskIo,
      full: false,
      write(fd, bytes) {
        if (!this.full) return diskIo.write(fd, bytes);
        diskIo.write(fd, bytes.subarray(0, bytes.length / 2));
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      },
      truncate(fd, size) {
        if (this.full) throw new Error('EIO');
        diskIo.truncate(fd, size);
      },
    };
  }

  test('refuses the transaction whole, and recovers alone', async () => {
    const io = fullDisk();
    let db = await sandbox.tsdb({ io });
    put(db, EPOCH_MS + 1, { a: 1, b: 1 });
    io.full = true;
    expect(() => put(db, EPOCH_MS + 2, { a: 2, b: 2, c: 2 })).toThrow(Unavailable);
    expect(() => put(db, EPOCH_MS + 2, { a: 2 })).toThrow('wal: truncate segment 0');
    expect(await readNumbers(db)).toEqual(expected(1));
    expect(db.status().headSeries).toBe(2);
    io.full = false;
    put(db, EPOCH_MS + 3, { a: 3, b: 3 });
    await db.close();
    db = await sandbox.tsdb();
    expect(await readNumbers(db)).toEqual(expected(1, 3));
    expect(db.status().corruptions).toEqual([]);
  });
});

test('a series whose slot is taken at a replay keeps the one that it gets instead', async () => {
  const options = { ...replaying, blockDurationMs: MINUTE_MS };
  let db = await sandbox.tsdb(options);
  put(db, EPOCH_MS - 1, { gone: 1 });
  await db.deleteSeries([new Matcher('=', METRIC_NAME, 'gone')], 0, EPOCH_MS);
  const nowMs = EPOCH_MS + 2 * MINUTE_MS;
  put(db, nowMs, { stays: 1 });
  // Cuts nothing but what is deleted. No block says so, and the WAL still has it: at the replay it is in the slot of `again`.
  await db.maintain();
  put(db, nowMs + 1, { again: 2, next: 3 });
  await db.close();
  db = await sandbox.tsdb(options);
  expect(await readNumbers(db)).toEqual({
    again: [[nowMs + 1, 2]],
    next: [[nowMs + 1, 3]],
    stays: [[nowMs, 1]],
  });
});

describe('a WAL of another writer', () => {
  /** be64 ref 2^33+1 and the like do not fit our refs; deltas are negative; one series has two refs. */
  function foreignRecords(): Uint8Array[] {
    const [a, b] = [2 ** 33 + 5, 2 ** 25 + 5];
    const series = encodeSeries([b, a, 9], (ref) => named(ref === b ? 'b' : 'a'));
    const samples = new ByteWriter();
    samples.u8(2);
    samples.be64(b);
    samples.be64(EPOCH_MS + 5);
    for (const [ref, time, value] of [
      [b, 5, 20],
      [9, 1, 1],
      [9, 2, 2],
      [b, 6, 21],
    ] as const) {
      samples.varint(ref - b);
      samples.varint(time - 5);
      const bits = Buffer.alloc(8);
      bits.writeDoubleBE(value);
      samples.raw(bits);
    }
    return [series.slice(), Uint8Array.of(6, 1, 2, 3), Uint8Array.of(99), samples.bytes()];
  }

  function plainOrSnappy(compress: boolean): Uint8Array {
    const kernel = new HeadKernel(() => {});
    kernel.beginFrames(compress);
    for (const record of foreignRecords()) kernel.frameRecord(record, 0);
    return kernel.frames();
  }

  /** One page with a full fragment a record. */
  function zstd(): Uint8Array {
    const page = new ByteWriter();
    for (const record of foreignRecords()) {
      const block = zstdCompressSync(record);
      page.u8(1 | 16);
      page.u8(block.length >> 8);
      page.u8(block.length & 0xff);
      page.be32(crc32c(block));
      page.raw(block);
    }
    return page.bytes();
  }

  test('is read plain and compressed', async () => {
    for (const segment of [plainOrSnappy(false), plainOrSnappy(true), zstd()]) {
      const box = new Sandbox();
      extra.push(box);
      mkdirSync(join(box.dir, 'wal'));
      writeFileSync(walFile(box), segment);
      const db = await box.tsdb();
      expect(db.status().corruptions).toEqual([]);
      expect(Object.keys(await readNumbers(db))).toEqual(['a', 'b']);
      expect(db.collect()['flotilla_tsdb_wal_records_skipped_total']).toBe(2);
    }
  });

  test('may have refs that are the same to us, and several of one series', async () => {
    const [a, other, again] = [7, 7 + 2 ** 24, 8];
    const series = encodeSeries([a, other, again], (ref) => named(ref === other ? 'other' : 'a')).slice();
    const samples = new ByteWriter();
    samples.u8(2);
    samples.be64(a);
    samples.be64(EPOCH_MS);
    for (const [i, ref] of [a, other, again].entries()) {
      samples.varint(ref - a);
      samples.varint(i);
      samples.float(i);
    }
    const kernel = new HeadKernel(() => {});
    kernel.beginFrames(false);
    for (const record of [series, samples.bytes()]) kernel.frameRecord(record, 0);
    mkdirSync(join(sandbox.dir, 'wal'));
    writeFileSync(walFile(sandbox), kernel.frames());
    const want = {
      a: [
        [EPOCH_MS, 0],
        [EPOCH_MS + 2, 2],
      ],
      other: [[EPOCH_MS + 1, 1]],
    };
    for (let starts = 0; starts < 2; starts++) {
      const db = await sandbox.tsdb(replaying);
      expect(await readNumbers(db)).toEqual(want);
      await db.close();
    }
  });

  test('is replayed, and its series keep their samples over the next restarts', async () => {
    let db = await sandbox.tsdb();
    await db.close();
    writeFileSync(walFile(sandbox), plainOrSnappy(true));
    const want = {
      a: [
        [EPOCH_MS + 1, 1],
        [EPOCH_MS + 2, 2],
      ],
      b: [
        [EPOCH_MS + 5, 20],
        [EPOCH_MS + 6, 21],
      ],
    };
    db = await sandbox.tsdb();
    expect(await readNumbers(db)).toEqual(want);
    put(db, EPOCH_MS + 7, { a: 3, b: 22, c: 1 });
    await db.close();
    db = await sandbox.tsdb();
    expect(await readNumbers(db)).toEqual({
      a: [...want.a, [EPOCH_MS + 7, 3]],
      b: [...want.b, [EPOCH_MS + 7, 22]],
      c: [[EPOCH_MS + 7, 1]],
    });
  });
});
