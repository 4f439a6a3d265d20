// The side file `schedules` of a block: the schedule of each series, in index order. See docs/format/schedules.md.
// Prometheus and Thanos do not look at it; a block without one has series without schedules.

import { crc32c } from '@flotilla/kernel';
import { CorruptionError } from '@flotilla/model';
import { existsSync, readFileSync } from 'node:fs';
import type { Schedule } from '../api.ts';
import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';

const MAGIC = 0x46534348; // "FSCH"
const VERSION = 1;
const HEADER_BYTES = 8;

export function encodeSchedulesFile(schedules: readonly (Schedule | undefined)[]): Uint8Array {
  const distinct = new Map<Schedule, number>();
  for (const schedule of schedules) {
    if (schedule !== undefined && !distinct.has(schedule)) distinct.set(schedule, distinct.size + 1);
  }
  const out = new ByteWriter(HEADER_BYTES + 12 * distinct.size + 4 * schedules.length + 12);
  out.be32(MAGIC);
  out.u8(VERSION);
  out.zeros(3);
  out.be32(distinct.size);
  for (const { targetId, intervalMs, phaseMs } of distinct.keys()) {
    out.be32(targetId);
    out.be32(intervalMs);
    out.be32(phaseMs);
  }
  out.be32(schedules.length);
  for (const schedule of schedules) out.be32(schedule === undefined ? 0 : distinct.get(schedule)!);
  out.be32(crc32c(out.bytes().subarray(HEADER_BYTES)));
  return out.bytes();
}

export class SchedulesFile {
  static readonly none = new SchedulesFile([], new Uint32Array(0));
  private readonly distinct: readonly Schedule[];
  private readonly bySeries: Uint32Array;

  private constructor(distinct: readonly Schedule[], bySeries: Uint32Array) {
    this.distinct = distinct;
    this.bySeries = bySeries;
  }

  /** Throws CorruptionError. A file that is not there says nothing. */
  static read(path: string): SchedulesFile {
    if (!existsSync(path)) return SchedulesFile.none;
    try {
      return SchedulesFile.parse(readFileSync(path));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new CorruptionError(path, 0, error.message, { cause: error });
    }
  }

  private static parse(file: Uint8Array): SchedulesFile {
    const input = new ByteReader(file, 0, file.length - 4);
    const magic = input.be32();
    const version = input.u8();
    if (magic !== MAGIC || version !== VERSION) throw new RangeError(`magic ${magic}, version ${version}`);
    input.skip(3);
    const want = new ByteReader(file, file.length - 4).be32();
    if (crc32c(file.subarray(HEADER_BYTES, -4)) !== want) throw new RangeError('wrong checksum');
    const distinct = Array.from({ length: input.be32() }, () => ({
      targetId: input.be32(),
      intervalMs: input.be32(),
      phaseMs: input.be32(),
    }));
    const bySeries = Uint32Array.from({ length: input.be32() }, () => input.be32());
    return new SchedulesFile(distinct, bySeries);
  }

  /** The schedule of series number `ordinal` of the index. */
  get(ordinal: number): Schedule | undefined {
    const number = this.bySeries[ordinal] ?? 0;
    return number === 0 ? undefined : this.distinct[number - 1];
  }
}
