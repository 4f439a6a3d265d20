import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { ListDecoder } from './list-decoder.ts';

function decode(text: string, sizes: readonly number[]): { items: unknown[]; around: unknown } {
  const items: unknown[] = [];
  const decoder = new ListDecoder((item) => items.push(item));
  const bytes = Buffer.from(text);
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const end = at + sizes[turn % sizes.length]!;
    decoder.push(bytes.subarray(at, end));
    at = end;
  }
  return { items, around: decoder.end() };
}

const metadata = { resourceVersion: '7', continue: 'x' };

describe('ListDecoder', () => {
  function check(text: string, want: readonly unknown[]): void {
    for (const size of [1, 2, 3, 5, 8, 1000]) expect(decode(text, [size]).items).toEqual(want);
  }

  test('gives items wherever the list has them', () => {
    check('{"items":[{"a":1},{"b":[]}],"metadata":{}}', [{ a: 1 }, { b: [] }]);
    check('{"metadata":{"x":[1]},"items" : [\n {"a":{}} ,\n{}\n] }', [{ a: {} }, {}]);
    check('{"items":[]}', []);
    check('{"items":null,"metadata":{}}', []);
  });

  test('is not misled by what is in strings or in other lists', () => {
    check('{"items":[{"a":"}],\\"items\\":[{"},{"b":"\\\\"}]}', [{ a: '}],"items":[{' }, { b: '\\' }]);
    check('{"other":[{"items":[{"x":1}]}],"metadata":{"items":[{}]},"items":[{"a":"ü€😀"}]}', [
      { a: 'ü€😀' },
    ]);
  });

  test('gives what JSON.parse gives, however the bytes come', () => {
    const item = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue());
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(item), sizes, fc.boolean(), (items, chunks, isFirst) => {
        const list = isFirst ? { items, kind: 'List', metadata } : { kind: 'List', metadata, items };
        const text = JSON.stringify(list);
        expect(decode(text, chunks)).toEqual({
          items: (JSON.parse(text) as { items: unknown[] }).items,
          around: { kind: 'List', metadata, items: [] },
        });
      }),
      { seed: 3 },
    );
  });

  test('refuses one that is cut short, or is none', () => {
    for (const text of ['', '{', '{"items":[{"a":1}', '{"items":[{"a":1}]'])
      expect(() => decode(text, [3])).toThrow('list: cut short, want all of it');
    expect(() => decode('{"items":[{a}]}', [3])).toThrow(SyntaxError);
    expect(() => decode('404 page not found', [3])).toThrow(SyntaxError);
  });

  test('refuses an item that is too large', () => {
    const text = `{"items":[{"a":"${'x'.repeat(17 << 20)}"}]}`;
    expect(() => decode(text, [1 << 20])).toThrow('list: item too large, want at most 16777216 bytes');
  });
});
