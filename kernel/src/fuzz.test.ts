// Mutated inputs for every decoder: none traps, and none looks at what lies behind its input.
// FLOTILLA_FUZZ_RUNS sets how many inputs each gets, of which quick ones get twenty times as many; the seed is in the title.

import { setImmediate as tick } from 'node:timers/promises';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { BlockSeriesEncoder } from './block-series.ts';
import { packChunks } from './chunk-list.ts';
import { decodeXor } from './decode-xor.ts';
import { encodeXor } from './encode-xor.ts';
import { HeadKernel } from './head-kernel.ts';
import { HistogramDecoder } from './histogram-decoder.ts';
import { Inflater } from './inflater.ts';
import { LineCache, LineScanner } from './line-cache.ts';
import { compressSnappy, uncompressSnappy } from './snappy.ts';

const RUNS = Number(process.env['FLOTILLA_FUZZ_RUNS'] ?? 3000);
/** Of decoders that take some microseconds an input. */
const QUICK_RUNS = 20 * RUNS;
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

/** Native histograms of whole counts and both signs; of float counts and custom bounds. */
const histogramChunks = [
  'AAwA/z9QYk3S8an8lKe8lGMZfwAAxefytABjAAAAAAAAAAAGHtu3wdTPGyOIz/2Mqz4wxthmEv/7DboSm2B1ht1Wa2JaxNYbdTql' +
    'hmwTWG3QtNOw26rNLEtQ/9ht1Oq2GQtht0JTQVht1Wa2JR9ht1OqWGQVht0A',
  'AAwA/z9QYk3S8an87lymlFXvr4+n0ZZBzc1lAAAAACEBUC+QAAAAfwAAxefytAAgFAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' +
    'AAAAAAAAAAAAAAAAIA4AAAAAAAAgCgAAAAAAAAAAAAAAAAAAfB1M6Ru8RX/4jP/cRX/4TIAWoTcJ8BZtqIzcJf/8Jf/8Jf/4ARtC' +
    '4AYS1k4vYD2B3YD1izNY++0gtYXrE3WF6R+bYHZfLQb/b2g9gm7QesfW1i9jNoETsC59gXJzQT+5QZCdQ/+dRPLRdo3Nob/qE+F6' +
    'hPimh7B88txFTuBwXcDhmSm20j32hcf2hc5U2NylyYLO0eOj6yfO',
].map((text) => new Uint8Array(Buffer.from(text, 'base64')));

/** What of a chunk is decoded, down to damage, as bytes. */
function decodedHistograms(decoder: HistogramDecoder, chunk: Uint8Array, areFloats: boolean): Buffer {
  const parts: Uint8Array[] = [];
  if (!decoder.begin(chunk, areFloats)) return Buffer.alloc(0);
  for (let count = decoder.next(); count > 0; count = decoder.next()) {
    if (decoder.staleCount > 0) return Buffer.alloc(1); // Their rows say nothing.
    for (const { buffer, byteOffset, byteLength } of [decoder.times(), decoder.rows()])
      parts.push(new Uint8Array(buffer, byteOffset, byteLength).slice());
  }
  return Buffer.concat(parts);
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

function deflateStreams(): Uint8Array[] {
  const line = (i: number): string => `http_requests_total{code="${i % 7}",pod="web-${i * i}"} ${i * 7919}\n`;
  const text = Array.from({ length: 60 }, (_, i) => line(i)).join('');
  const streams = [text.slice(0, 150), text.slice(0, 700), text, 'ab'.repeat(40_000)];
  const { Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE } = constants;
  return streams.flatMap((content) => [
    ...[0, 1, 6, 9].map((level) => deflateRawSync(content, { level })),
    ...[Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE].map((strategy) => deflateRawSync(content, { strategy })),
    deflateRawSync(content, { memLevel: 1, level: 4 }),
  ]);
}

const inflatedMax = 200_000;

/** What it becomes; undefined if it is refused, or becomes too much. */
function inflatedByZlib(stream: Uint8Array): Uint8Array | undefined {
  try {
    return inflateRawSync(stream, { maxOutputLength: inflatedMax });
  } catch {
    return undefined;
  }
}

function inflatedByUs(inflater: Inflater, stream: Uint8Array): Uint8Array | undefined {
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    inflater.begin(stream);
    while (!inflater.isDone) {
      pieces.push(inflater.read().slice());
      length += pieces.at(-1)!.length;
      if (length > inflatedMax) return undefined;
    }
    return Buffer.concat(pieces);
  } catch (err) {
    if (!/^inflate: (corrupt at byte \d+|the stream is cut)$/.test((err as Error).message)) throw err;
    return undefined;
  }
}

describe(`mutated inputs, seed ${SEED}, ${RUNS} or ${QUICK_RUNS} each`, () => {
  test(
    'XOR chunks',
    () => {
      const inputs = new Mutations(chunks());
      const noise = new Uint8Array(1500).fill(0xff);
      const [times, values] = [new Float64Array(300), new Float64Array(300)];
      for (let run = 0; run < QUICK_RUNS; run++) {
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
    'native histogram chunks',
    () => {
      const inputs = new Mutations(histogramChunks);
      const decoder = new HistogramDecoder();
      const noise = new Uint8Array(1500).fill(0xff);
      let taken = 0;
      for (let run = 0; run < QUICK_RUNS; run++) {
        const input = inputs.next();
        const areFloats = inputs.random(2) === 0;
        const got = decodedHistograms(decoder, input, areFloats);
        if (got.length > 1) taken++;
        decoder.begin(noise, false); // What lies behind the input is different now.
        if (!decodedHistograms(decoder, input, areFloats).equals(got)) throw new Error(`run ${run}: differs`);
      }
      expect(taken).toBeGreaterThan(0);
      expect(taken).toBeLessThan(QUICK_RUNS);
    },
    60 * MINUTES,
  );

  test(
    'chunk lists, joined',
    () => {
      const listed = chunks().map((data, i) => {
        const [minTimeMs, maxTimeMs] = [1.7e12 + i * 1e6, 1.7e12 + i * 1e6 + 9e5];
        return { minTimeMs, maxTimeMs, samples: (data[0]! << 8) | data[1]!, encoding: 1, data };
      });
      const inputs = new Mutations([
        packChunks(listed),
        packChunks(listed.slice(0, 2)),
        packChunks(listed.slice(3, 6)),
      ]);
      const encoder = new BlockSeriesEncoder();
      const pairs = Uint32Array.of(1, 2, 3, 2 ** 32 - 1);
      for (let run = 0; run < QUICK_RUNS; run++) {
        const input = inputs.next();
        if (!encoder.join(input)) continue;
        const bytes = encoder.frames().length + encoder.entry(pairs, 2 ** 40).length;
        if (bytes > input.length + 100 + 40 * encoder.chunks) throw new Error(`run ${run}: ${bytes} bytes`);
      }
      encoder.end();
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
      for (let run = 0; run < QUICK_RUNS; run++) {
        const got = uncompressSnappy(inputs.next(), 1 << 20);
        if (got !== undefined && got.length > 1 << 20) throw new Error(`run ${run}: ${got.length} bytes`);
      }
      expect(inputs.random(1)).toBe(0);
    },
    60 * MINUTES,
  );

  test(
    'deflate streams, which zlib reads, too',
    async () => {
      const inputs = new Mutations(deflateStreams());
      const inflaters = [new Inflater(), new Inflater(600, 700)];
      let taken = 0;
      for (let run = 0; run < RUNS; run++) {
        if (run % 1000 === 0) await tick(); // What zlib took is only freed then.
        const input = inputs.next();
        const want = inflatedByZlib(input);
        const got = inflatedByUs(inflaters[run & 1]!, input);
        const isSame =
          want === undefined || got === undefined ? want === got : Buffer.compare(got, want) === 0;
        if (!isSame) throw new Error(`run ${run}: ${got?.length} bytes, want ${want?.length}`);
        if (want !== undefined) taken++;
      }
      expect(taken).toBeGreaterThan(0);
      expect(taken).toBeLessThan(RUNS);
    },
    60 * MINUTES,
  );

  test(
    'samples records',
    () => {
      const inputs = new Mutations(samplesRecords());
      const kernel = new HeadKernel(() => {});
      for (let run = 0; run < QUICK_RUNS; run++) {
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
      for (let run = 0; run < QUICK_RUNS; run++) {
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
