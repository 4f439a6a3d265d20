// Mutated inputs for every decoder: none traps, and none looks at what lies behind its input.
// FLOTILLA_FUZZ_RUNS sets how many inputs each gets; the seed is in the title.

import { describe, expect, test } from '@jest/globals';
import { decodeXor } from './decode-xor.ts';
import { encodeXor } from './encode-xor.ts';
import { HeadKernel } from './head-kernel.ts';
import { LineCache, LineScanner } from './line-cache.ts';
import { compressSnappy, uncompressSnappy } from './snappy.ts';

const RUNS = Number(process.env['FLOTILLA_FUZZ_RUNS'] ?? 3000);
const SEED = Number(process.env['FLOTILLA_FUZZ_SEED'] ?? 20_260);
const MINUTES = 60_000;

/** Bytes that are like the samples, but damaged; the same for the same seed. */
class Mutations {
  private state = SEED >>> 0;
  private readonly samples: readonly Uint8Array[];

  constructor(samples: readonly Uint8Array[]) {
    this.samples = samples;
  }

  random(below: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.state / 2 ** 32) * below);
  }

  next(): Uint8Array {
    const sample = this.samples[this.random(this.samples.length)]!;
    const copy = sample.slice(0, this.random(4) === 0 ? this.random(sample.length + 1) : sample.length);
    for (let edits = this.random(5); edits > 0 && copy.length > 0; edits--) {
      const at = this.random(copy.length);
      copy[at] = this.random(2) === 0 ? this.random(256) : copy[at]! ^ (1 << this.random(8));
    }
    return copy;
  }
}

function chunks(): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let kind = 1; kind < 9; kind++) {
    const times = Float64Array.from(
      { length: 30 * kind },
      (_, i) => 1.7e12 + i * 5000 + (kind % 2) * ((i * 7) % 90),
    );
    const values = times.map((t, i) => (kind % 3 === 0 ? 7 : Math.sin(t) * i));
    encodeXor(times, values, 120, 1024, (_from, _count, data) => out.push(data));
  }
  return out;
}

function samplesRecords(): Uint8Array[] {
  const kernel = new HeadKernel(() => {});
  const refs = Uint32Array.from({ length: 200 }, (_, i) => i + 1);
  for (const ref of refs) kernel.createSeries(ref);
  kernel.stage(1, refs, Float64Array.from(refs), refs.length, 1.7e12);
  kernel.beginFrames(false);
  kernel.frameStaged(1, 0);
  return [kernel.frames().slice(7)];
}

function savedSeries(): Uint8Array[] {
  const kernel = new HeadKernel(() => {});
  const refs = Uint32Array.from({ length: 19 }, (_, i) => i + 1);
  for (const ref of refs) kernel.createSeries(ref);
  for (let step = 0; step < 50; step++) {
    const values = Float64Array.from(refs, (ref) => (step % ref === 0 ? Math.sin(step * ref) : ref));
    kernel.stage(1, refs, values, refs.length, 1.7e12 + step * 5000);
    kernel.apply(1, 0, 2 ** 30);
  }
  const saved: Uint8Array[] = [];
  kernel.saveSeries(20, (image) => saved.push(image.slice()));
  return saved;
}

describe(`mutated inputs, seed ${SEED}, ${RUNS} each`, () => {
  test(
    'XOR chunks',
    () => {
      const inputs = new Mutations(chunks());
      const noise = new Uint8Array(1500).fill(0xff);
      const [times, values] = [new Float64Array(300), new Float64Array(300)];
      for (let run = 0; run < RUNS; run++) {
        const input = inputs.next();
        const count = decodeXor(input, times, values);
        if (count < -1 || count > 300) throw new Error(`run ${run}: ${count} samples`);
        if (run % 64 !== 0) continue;
        decodeXor(noise, times, values); // What lies behind the input is different now.
        if (decodeXor(input, times, values) !== count) throw new Error(`run ${run}: looks behind its input`);
      }
      expect(inputs.random(1)).toBe(0);
    },
    60 * MINUTES,
  );

  test(
    'snappy blocks',
    () => {
      const text = Buffer.from(
        'the quick brown fox jumps over the lazy dog, the quick brown fox again; '.repeat(40),
      );
      const inputs = new Mutations([
        compressSnappy(text),
        compressSnappy(text.subarray(0, 90)),
        compressSnappy(chunks()[5]!),
      ]);
      for (let run = 0; run < RUNS; run++) {
        const got = uncompressSnappy(inputs.next(), 1 << 20);
        if (got !== undefined && got.length > 1 << 20) throw new Error(`run ${run}: ${got.length} bytes`);
      }
      expect(inputs.random(1)).toBe(0);
    },
    60 * MINUTES,
  );

  test(
    'samples records',
    () => {
      const inputs = new Mutations(samplesRecords());
      const kernel = new HeadKernel(() => {});
      for (let run = 0; run < RUNS; run++) {
        const count = kernel.decodeSamples(inputs.next());
        if (count < -1 || count > 400) throw new Error(`run ${run}: ${count} samples`);
      }
      expect(inputs.random(1)).toBe(0);
    },
    60 * MINUTES,
  );

  test(
    'saved series',
    () => {
      const saved = savedSeries();
      const inputs = new Mutations(saved);
      let kernel = new HeadKernel(() => {});
      for (let run = 0; run < RUNS; run++) {
        if (run % 100 === 0) kernel = new HeadKernel(() => {});
        kernel.loadSeries(inputs.next());
        for (let ref = 1; ref < 20; ref++) {
          if (kernel.copyOpen(ref).length > 1088) throw new Error(`run ${run}: chunk of ${ref}`);
          kernel.stage(1, Uint32Array.of(ref), Float64Array.of(run / 7), 1, 1.8e12 + run * 1000);
        }
        kernel.apply(1, 0, 2 ** 30);
        for (let ref = 1; ref < 20; ref++) kernel.deleteSeries(ref);
      }
      expect(inputs.random(1)).toBe(0);
    },
    60 * MINUTES,
  );

  test(
    'bodies',
    () => {
      const body = Buffer.from(
        '# HELP a b\n# TYPE a counter\na{b="c",d="e"} 1.5e3\nup 1\nx NaN 17\ny{z="\\""} -Inf\n',
      );
      const inputs = new Mutations([body]);
      const scanner = new LineScanner(48);
      const cache = new LineCache(scanner);
      for (let run = 0; run < RUNS; run++) {
        const input = inputs.next();
        cache.scan(input);
        for (let i = 0; i < scanner.unknownCount; i++) {
          const { start, end, entry } = scanner.unknown(i);
          if (end < start || end > input.length) throw new Error(`run ${run}: line ${start}..${end}`);
          cache.learn(entry, 1 + i);
        }
        if (run % 5 === 0) cache.commit();
      }
      cache.close();
      expect(inputs.random(1)).toBe(0);
    },
    60 * MINUTES,
  );
});
