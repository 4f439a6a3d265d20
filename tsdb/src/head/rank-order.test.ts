import { expect, test } from '@jest/globals';
import { Labels } from '@flotilla/model';
import { RankOrder } from './rank-order.ts';
import { LabelSets } from './label-sets.ts';
import { Symbols } from './symbols.ts';

test('sorts series as their labels compare, and strings by their bytes', async () => {
  let state = 3;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const values = [
    '',
    'b',
    'ä',
    'a',
    '\u{1f600}',
    '\uffee',
    ...Array.from({ length: 300 }, (_, i) => `v${i}`),
  ];
  for (const count of [0, 1, 5, 300, 35_000]) {
    const symbols = new Symbols();
    const sets = new LabelSets(symbols);
    const slots: number[] = [];
    while (slots.length < count) {
      const names = ['a', 'b', 'job', 'z'].filter(() => random(4) > 0);
      const labels = Labels.fromPairs([
        ['__name__', `m${random(3)}`],
        ['n', String(random(count))],
        ...names.map((name): [string, string] => [name, values[1 + random(values.length - 1)]!]),
      ]);
      if (sets.find(labels) !== 0) continue;
      slots.push(slots.length + 1);
      sets.add(slots.length, labels);
    }
    const { symbols: texts, ranks, slots: got } = await RankOrder.of(sets, symbols, Uint32Array.from(slots));
    expect(new Set(got).size).toBe(count);
    for (let i = 1; i < count; i++) if (sets.compare(got[i - 1]!, got[i]!) >= 0) throw new Error(`at ${i}`);
    expect(texts).toEqual(texts.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    expect(
      Array.from({ length: symbols.capacity }, (_, id) => texts[ranks[id]!] === symbols.text(id)),
    ).not.toContain(false);
  }
});
