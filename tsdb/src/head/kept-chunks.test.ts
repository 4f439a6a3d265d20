import { expect, test } from '@jest/globals';
import { HeadKernel } from '@flotilla/kernel';
import * as fc from 'fast-check';
import { KeptChunks } from './kept-chunks.ts';

const RING_BYTES = 500;
const idOf = (chunk: number): number => 2 ** 31 * chunk + 1;
const dataOf = (chunk: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => chunk * 7 + i);

/** A chunk always has the same data. */
const chunks = fc.array(fc.integer({ min: 1, max: RING_BYTES / 4 }), { minLength: 1, maxLength: 40 });

test('what was kept comes back as it was, or not at all; what was kept last comes back', () => {
  const kernel = new HeadKernel(() => undefined);
  const gather = kernel.newGather(4096);
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat()), { minLength: 100, maxLength: 200 });
  let filled = 0;
  const property = fc.property(chunks, steps, (lengths, plan) => {
    const kept = new KeptChunks(kernel.newRing(RING_BYTES));
    let last = -1;
    for (const [isKeeping, any] of plan) {
      const chunk = any % lengths.length;
      const data = dataOf(chunk, lengths[chunk]!);
      if (isKeeping) {
        gather.fill(0, data);
        kept.keep(idOf(chunk), gather, 0, data.length);
        last = chunk;
      }
      const [asked, want] = isKeeping ? [last, data] : [chunk, data];
      gather.fill(1000, new Uint8Array(RING_BYTES / 4).fill(255));
      const isThere = kept.fill(idOf(asked), gather, 1000, want.length);
      gather.fillAll();
      if (asked === last) expect(isThere).toBe(true);
      if (isThere) expect(gather.bytes(1000, 1000 + want.length)).toEqual(want);
      if (isThere && !isKeeping && asked !== last) filled++;
    }
  });
  fc.assert(property, { numRuns: 300 });
  expect(filled).toBeGreaterThan(100);
});
