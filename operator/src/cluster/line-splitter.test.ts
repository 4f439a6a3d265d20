import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { LineSplitter } from './line-splitter.ts';

describe('LineSplitter', () => {
  test('gives equal lines however the bytes come', () => {
    const chunks = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 });
    const lines = fc.array(
      fc.string({ unit: 'binary', minLength: 1 }).filter((line) => !line.includes('\n')),
    );
    fc.assert(
      fc.property(lines, chunks, (want, sizes) => {
        const bytes = Buffer.from(want.map((line) => `${line}\n`).join(''));
        const splitter = new LineSplitter(1000);
        const got: string[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const end = at + sizes[turn % sizes.length]!;
          got.push(...splitter.push(bytes.subarray(at, end)));
          at = end;
        }
        expect(got).toEqual(want.map((line) => Buffer.from(line).toString()));
      }),
    );
  });

  test('keeps a line that has not ended, and refuses one that is too long', () => {
    const splitter = new LineSplitter(4);
    expect([...splitter.push(Buffer.from('ab\n\ncd'))]).toEqual(['ab']);
    expect([...splitter.push(Buffer.from('e\n'))]).toEqual(['cde']);
    expect(() => [...splitter.push(Buffer.from('abcde'))]).toThrow('line too long, want at most 4 bytes');
  });
});
