import { describe, expect, test } from '@jest/globals';
import { Labels } from '@flotilla/model';
import { crc32c } from './crc32c.ts';
import { chunkedReadFrames, decodeRemoteReadRequest, encodeRemoteReadResponse } from './remote-read.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('remote read', () => {
  test('reads requests', () => {
    const request = decodeRemoteReadRequest(
      bytes('0a 16 08 e807 10 d00f 1a 0e 08 00 12 05 6c6162656c 1a 03 666f6f 12 01 00'),
    );
    expect(request.acceptedResponseTypes).toEqual([0]);
    const [query] = request.queries;
    expect([query!.startMs, query!.endMs, query!.matchers.map(String)]).toEqual([
      1000,
      2000,
      ['label="foo"'],
    ]);
  });

  test('refuses bytes that are none', () => {
    expect(() => decodeRemoteReadRequest(bytes('0aff'))).toThrow('RemoteReadRequest: 2 bytes do not decode');
    expect(() => decodeRemoteReadRequest(bytes('0a 06 1a 04 08 07 12 00'))).toThrow(
      'matcher type 7, want 0 to 3',
    );
    expect(() => decodeRemoteReadRequest(bytes('0a 0c 1a 0a 08 02 12 01 61 1a 03 282828'))).toThrow(
      'matcher of a',
    );
  });

  test('writes samples with every bit, also before 1970', () => {
    const values = new Float64Array(2);
    new Uint32Array(values.buffer).set([2, 0x7ff00000, 0, 0x3ff00000]);
    const series = { labels: Labels.fromRecord({ a: 'b' }), timestampsMs: Float64Array.of(-1, 300), values };
    const response = hex(encodeRemoteReadResponse([[series], []])).replaceAll('80808000', '');
    const label = '0a060a0161120162';
    const stale = '129409020000000000f07f10ffffffffffffffffff01';
    const one = '120c09000000000000f03f10ac02';
    expect(response).toContain(label + stale + one);
    expect(response.endsWith('0a00')).toBe(true);
  });

  test('writes chunks in frames of about a megabyte, each with its length and checksum', () => {
    const chunk = { minTimeMs: 1, maxTimeMs: 300, encoding: 2, data: new Uint8Array(400_000).fill(7) };
    const labels = Labels.fromRecord({ a: 'b' });
    const frames = [...chunkedReadFrames(labels, [chunk, chunk, chunk, chunk], 1)].map((frame) =>
      Buffer.from(frame),
    );
    expect(frames.map(({ length }) => Math.round(length / 400_000))).toEqual([3, 1]);
    for (const frame of frames) {
      const message = frame.subarray(3 + 4);
      expect(frame[0]! - 0x80 + (frame[1]! - 0x80) * 0x80 + frame[2]! * 0x4000).toBe(message.length);
      expect(frame.readUInt32BE(3)).toBe(crc32c(message));
      const plain = hex(message)
        .replaceAll('80808000', '')
        .replaceAll(/(?:07){100,}/g, '*');
      expect(plain).toContain('0a060a0161120162');
      expect(plain).toContain('080110ac02180222');
      expect(plain.endsWith('1001')).toBe(true);
    }
    expect([...chunkedReadFrames(labels, [], 0)]).toEqual([]);
  });
});
