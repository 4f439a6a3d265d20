import { expect, test } from '@jest/globals';
import { type CounterResetHint, FloatHistogram, wasReset } from '@flotilla/model';
import * as fc from 'fast-check';
import { Neighbours } from './neighbours.ts';

const histograms = fc.array(
  fc
    .record({
      hint: fc.constantFrom<CounterResetHint>(
        'not_reset',
        'not_reset',
        'not_reset',
        'unknown',
        'reset',
        'gauge',
      ),
      schema: fc.constantFrom(0, 0, 0, 0, 0, 1),
      count: fc.constantFrom(1, 2, 2, 3),
    })
    .map((fields) => new FloatHistogram(fields)),
  { minLength: 2, maxLength: 20 },
);

test('a run is steady if no neighbours in it show a reset or another schema, and none is a gauge', () => {
  const neighbours = new Neighbours();
  fc.assert(
    fc.property(histograms, (list) => {
      neighbours.reset(list);
      for (let first = 0; first < list.length; first++) {
        for (let last = first + 1; last < list.length; last++) {
          const run = list.slice(first, last + 1);
          const goesOn = run.every(
            (now, i) => i === 0 || (now.schema === run[i - 1]!.schema && !wasReset(now, run[i - 1]!)),
          );
          expect(neighbours.areSteady(first, last)).toBe(goesOn && run.every(({ hint }) => hint !== 'gauge'));
        }
      }
    }),
    { seed: 5 },
  );
});
