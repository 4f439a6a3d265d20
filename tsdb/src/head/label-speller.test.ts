import { expect, test } from '@jest/globals';
import { encodeLabels, Labels } from '@flotilla/model';
import { LabelSets } from './label-sets.ts';
import { LabelSpeller } from './label-speller.ts';
import { Symbols } from './symbols.ts';

test('label sets are spelled as encodeLabels does, also when ids are used for other strings', () => {
  const symbols = new Symbols();
  const sets = new LabelSets(symbols);
  const speller = new LabelSpeller(sets, symbols);
  const labelsOf = (slot: number, round: number): Labels =>
    Labels.fromRecord({
      __name__: 'up',
      pod: `pod-${round}-${slot}`,
      note: 'ä'.repeat(slot * 40),
      long: 'x'.repeat(slot === 7 ? 20_000 : 130),
    });
  for (let round = 0; round < 3; round++) {
    for (let slot = 1; slot <= 20; slot++) sets.add(slot, labelsOf(slot, round));
    for (let pass = 0; pass < 2; pass++)
      for (let slot = 1; slot <= 20; slot++)
        expect(Buffer.from(speller.spell(slot))).toEqual(encodeLabels(labelsOf(slot, round)));
    for (let slot = 1; slot <= 20; slot++) sets.remove(slot);
  }
});
