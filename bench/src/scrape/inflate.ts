// Bench: inflating pages of 10 000 series as a scrape does, checksum included, against Node's zlib. Nanoseconds of CPU a byte.
// node bench/dist/scrape/inflate.js; the last line is JSON.

import { crc32, gunzipSync, gzipSync } from 'node:zlib';
import { Inflater } from '@flotilla/kernel';
import { makeBodies } from './bodies.ts';

const gzipHeaderBytes = 10;
const bodies = makeBodies(10_000, 12).rounds;
const packed = bodies.map((body) => gzipSync(body, { level: 6 }));
const bytes = bodies.reduce((sum, { length }) => sum + length, 0);
const inflater = new Inflater();
const memory = Buffer.alloc(Math.max(...bodies.map(({ length }) => length)));

function inflateAll(): void {
  packed.forEach((body, i) => {
    let length = 0;
    let sum = 0;
    inflater.begin(body, gzipHeaderBytes);
    while (!inflater.isDone) {
      const piece = inflater.read();
      sum = crc32(piece, sum);
      memory.set(piece, length);
      length += piece.length;
    }
    const isGood = length === bodies[i]!.length && sum === body.readUInt32LE(inflater.readTo);
    if (!isGood) throw new Error(`body ${i}: ${length} bytes, want ${bodies[i]!.length}`);
  });
}

function gunzipAll(): void {
  packed.forEach((body, i) => gunzipSync(body, { chunkSize: bodies[i]!.length + 1024 }));
}

function cpuNanoseconds(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / bytes;
}

/** The least of many rounds, in turn: what else the machine does only adds. */
const least = { ours: Infinity, zlib: Infinity };
for (let round = 0; round < 60; round++) {
  least.ours = Math.min(least.ours, cpuNanoseconds(inflateAll));
  least.zlib = Math.min(least.zlib, cpuNanoseconds(gunzipAll));
}
for (const [name, ns] of Object.entries(least)) console.log(`${name}: ${ns.toFixed(3)} ns/byte`);
const ratio = Math.round((least.ours / least.zlib) * 1000) / 1000;
console.log(
  JSON.stringify({ bench: 'inflate', peer: `zlib of Node ${process.version}`, ratios: { cpu: ratio } }),
);
