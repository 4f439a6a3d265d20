import { describe, expect, test } from '@jest/globals';
import { Labels } from '@flotilla/model';
import { decodeRemoteReadRequest, encodeRemoteReadResponse } from './remote-read.ts';

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
    expect(response.endsWith('0a80')).toBe(true);
  });
});
