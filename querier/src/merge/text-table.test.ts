import { expect, test } from '@jest/globals';
import { TextTable } from './text-table.ts';

test('texts come out as their bytes say, and equal ones are one string', () => {
  const table = new TextTable();
  const texts = Array.from({ length: 5000 }, (_, i) => `${i % 7 === 0 ? 'ä€𝄞' : 'pod'}-${i % 2500}`);
  for (const text of [...texts, '', 'x'.repeat(100_000)]) {
    const bytes = Buffer.from(`ab${text}cd`);
    expect(table.text(bytes, 2, bytes.length - 2)).toBe(text);
  }
});
