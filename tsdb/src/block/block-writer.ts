// Writes a block: everything into <ULID>.tmp-for-creation, synced, then renamed. See docs/format/block.md.

import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Labels } from '@flotilla/model';
import { ulid as newUlid } from 'ulid';
import type { RawChunk, Schedule } from '../api.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import type { Io } from '../io.ts';
import { syncFolder } from '../wal/wal.ts';
import { ChunkWriter } from './chunk-segments.ts';
import { FileSink } from './file-sink.ts';
import { IndexWriter } from './index-writer.ts';
import { type BlockMeta, metaText } from './meta.ts';
import { encodeSchedulesFile } from './schedules-file.ts';

const TOMBSTONES_MAGIC = 0x0130ba30;
/** How many series are written before the event loop gets its turn. */
const SERIES_PER_TURN = 512;

/** The series of a new block, by number, in label order; each has at least one chunk. Labels are asked for twice. */
export interface BlockSource {
  readonly count: number;
  labels(i: number): Labels;
  schedule(i: number): Schedule | undefined;
  chunks(i: number): readonly RawChunk[];
}

/** Writes a level-1 block of [minTimeMs, maxTimeMs) below `dir` and returns its folder. Leaves nothing behind if it fails. */
export async function writeBlock(
  dir: string,
  source: BlockSource,
  minTimeMs: number,
  maxTimeMs: number,
  io: Io,
): Promise<string> {
  const ulid = newUlid();
  const path = join(dir, ulid);
  const temporary = `${path}.tmp-for-creation`;
  try {
    mkdirSync(temporary);
    const stats = await writeSeries(temporary, source, io);
    const compaction = { level: 1, sources: [ulid] };
    writeSmall(join(temporary, 'tombstones'), noTombstones(), io);
    const meta: BlockMeta = { ulid, minTime: minTimeMs, maxTime: maxTimeMs, stats, compaction, version: 1 };
    writeSmall(join(temporary, 'meta.json'), Buffer.from(metaText(meta)), io);
    syncFolder(join(temporary, 'chunks'), io);
    syncFolder(temporary, io);
    renameSync(temporary, path);
    syncFolder(dir, io);
    return path;
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
}

async function writeSeries(dir: string, source: BlockSource, io: Io): Promise<BlockMeta['stats']> {
  const index = new IndexWriter(join(dir, 'index'), await symbolsOf(source), io);
  const chunks = new ChunkWriter(join(dir, 'chunks'), io);
  const schedules: (Schedule | undefined)[] = [];
  let numSamples = 0;
  let numChunks = 0;
  try {
    for (let i = 0; i < source.count; i++) {
      const raw = source.chunks(i);
      const metas = raw.map(({ minTimeMs, maxTimeMs, data }) => ({
        minTimeMs,
        maxTimeMs,
        ref: chunks.write(data),
      }));
      index.addSeries(source.labels(i), metas);
      schedules.push(source.schedule(i));
      numChunks += raw.length;
      for (const { samples } of raw) numSamples += samples;
      if (i % SERIES_PER_TURN === SERIES_PER_TURN - 1) await setImmediate();
    }
    chunks.close();
    index.close();
  } catch (error) {
    chunks.abort();
    index.abort();
    throw error;
  }
  writeSmall(join(dir, 'schedules'), encodeSchedulesFile(schedules), io);
  return { numSamples, numFloatSamples: numSamples, numSeries: source.count, numChunks };
}

async function symbolsOf(source: BlockSource): Promise<Set<string>> {
  const symbols = new Set<string>();
  for (let i = 0; i < source.count; i++) {
    for (const text of source.labels(i).flat) symbols.add(text);
    if (i % SERIES_PER_TURN === SERIES_PER_TURN - 1) await setImmediate();
  }
  return symbols;
}

function writeSmall(path: string, bytes: Uint8Array, io: Io): void {
  const sink = new FileSink(path, io);
  try {
    sink.write(bytes);
    sink.close();
  } catch (error) {
    sink.abort();
    throw error;
  }
}

/** A tombstones file without entries: the checksum of nothing is 0. */
function noTombstones(): Uint8Array {
  const out = new ByteWriter();
  out.be32(TOMBSTONES_MAGIC);
  out.u8(1);
  out.be32(0);
  return out.bytes();
}
