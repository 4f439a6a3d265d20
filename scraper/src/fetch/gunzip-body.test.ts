import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { BodyMemory } from './body-memory.ts';
import { gunzipBody, type GunzipOptions } from './gunzip-body.ts';
import { BodySizeError } from './scrape-error.ts';

const memory = new BodyMemory(64 << 20);

async function textOf(bytes: Buffer, sizeMax = 1 << 20): Promise<string> {
  const body = await gunzipBody(bytes, { memory, sizeMax, sizeHint: 0, mustGoOn: () => undefined });
  const text = body.bytes().toString();
  body.release();
  return text;
}

/** As a promise, whatever it is. */
async function rejected(bytes: Buffer, options: GunzipOptions): Promise<unknown> {
  return gunzipBody(bytes, options);
}

interface MemberOptions {
  readonly flags?: number;
  /** What the flags stand for. */
  readonly extra?: Buffer;
  readonly sum?: number;
  readonly length?: number;
}

function member(content: string, options: MemberOptions = {}): Buffer {
  const bytes = Buffer.from(content);
  const { flags = 0, extra = Buffer.alloc(0), sum = crc32(bytes), length = bytes.length } = options;
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(sum);
  trailer.writeUInt32LE(length, 4);
  const header = Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255]);
  return Buffer.concat([header, extra, deflateRawSync(bytes), trailer]);
}

async function check(bytes: Buffer, want: string, sizeMax?: number): Promise<void> {
  expect(await textOf(bytes, sizeMax).catch((err: Error) => `error: ${err.message}`)).toBe(want);
}

// What is wanted is what Go's compress/gzip says.
describe('a gzip body', () => {
  test('is what all its members become', async () => {
    await check(gzipSync('a 1\n'), 'a 1\n');
    await check(gzipSync(''), '');
    await check(
      Buffer.concat([gzipSync('a 1\n'), gzipSync(''), gzipSync('b 2\n', { level: 0 })]),
      'a 1\nb 2\n',
    );
    const page = 'some_metric{label="value"} 1\n'.repeat(20_000);
    await check(gzipSync(page), page);
  });

  test('may have what else a header has', async () => {
    await check(member('a', { flags: 4, extra: Buffer.from([3, 0, 1, 2, 3]) }), 'a');
    await check(member('a', { flags: 24, extra: Buffer.from('name\0comment\0') }), 'a');
    await check(member('a', { flags: 0xe1 }), 'a');
    const name = (length: number): Buffer => Buffer.from(`${'n'.repeat(length)}\0`);
    await check(member('a', { flags: 8, extra: name(511) }), 'a');
    await check(member('a', { flags: 8, extra: name(512) }), 'error: gzip: invalid header');
    const sumOf = (header: number[]): Buffer => {
      const sum = Buffer.alloc(2);
      sum.writeUInt16LE(crc32(Buffer.from(header)) & 0xffff);
      return sum;
    };
    const headed = [0x1f, 0x8b, 8, 2, 0, 0, 0, 0, 0, 255];
    await check(member('a', { flags: 2, extra: sumOf(headed) }), 'a');
    await check(member('a', { flags: 2, extra: Buffer.from([1, 2]) }), 'error: gzip: invalid header');
  });

  test('says what is wrong with it', async () => {
    await check(Buffer.alloc(0), 'error: EOF');
    await check(Buffer.from('a 1\nb 2\nc 3\n'), 'error: gzip: invalid header');
    await check(member('a', { sum: 1 }), 'error: gzip: invalid checksum');
    await check(member('a', { length: 2 }), 'error: gzip: invalid checksum');
    await check(Buffer.concat([member('a'), Buffer.alloc(10)]), 'error: gzip: invalid header');
    await check(Buffer.concat([member('a'), Buffer.alloc(9)]), 'error: unexpected EOF');
    const damaged = gzipSync('a 1\n');
    damaged[10] = 7;
    await check(damaged, 'error: flate: corrupt input before offset 1');
  });

  test('that is cut anywhere ends too early', async () => {
    const whole = member('a 1\nb 2\n', { flags: 28, extra: Buffer.from('\x02\x00xxname\0comment\0') });
    for (let length = 1; length < whole.length; length++)
      await check(whole.subarray(0, length), 'error: unexpected EOF');
  });

  test('stops at its limit, and is then no longer looked at', async () => {
    await check(gzipSync('0123456789'), '0123456789', 11);
    await check(gzipSync('0123456789'), 'error: body size limit exceeded', 10);
    const damaged = gzipSync(Buffer.alloc(1 << 20, 'x'));
    damaged[damaged.length - 12]! ^= 1;
    await check(damaged, 'error: body size limit exceeded', 100_000);
    const bomb = gzipSync(Buffer.alloc(100 << 20));
    await expect(textOf(bomb)).rejects.toBeInstanceOf(BodySizeError);
  });

  test('lets others go first if it takes long, and ends when nobody waits for it', async () => {
    const one = member('');
    const members = Buffer.alloc(200_000 * one.length, one);
    let turns = 0;
    const options = {
      memory,
      sizeMax: 100,
      sizeHint: 0,
      mustGoOn: () => {
        if (++turns === 4) throw new Error('too late');
      },
    };
    await expect(rejected(members, options)).rejects.toThrow('too late');
    await check(gzipSync('a 1\n'), 'a 1\n');
  });

  test('gives its memory back, whatever becomes of it', async () => {
    const small = new BodyMemory(4 << 20);
    const options = { memory: small, sizeMax: 32 << 20, sizeHint: 0, mustGoOn: () => undefined };
    const body = await gunzipBody(gzipSync(Buffer.alloc(1_500_000)), options);
    expect(small.largeBytes).toBeGreaterThanOrEqual(1_500_000);
    body.release();
    expect(small.largeBytes).toBe(0);
    await expect(rejected(gzipSync(Buffer.alloc(30 << 20)), options)).rejects.toThrow(
      /^body memory exhausted/,
    );
    await expect(rejected(gzipSync(Buffer.alloc(3 << 20)).subarray(0, 900), options)).rejects.toThrow(
      'unexpected EOF',
    );
    expect(small.largeBytes).toBe(0);
  });
});
