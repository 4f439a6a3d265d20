// The database: a head with its WAL, and blocks. One process, one folder.
//
//     dir/lock  dir/wal/{00000000…, checkpoint.00000004/}  dir/<ULID>/{meta.json, index, chunks/, tombstones, schedules}
//
// Appends go to the head; maintain() moves what is old enough into blocks and deletes what is too old. Reads merge both.

import { compareUtf8, Matcher } from '@flotilla/model';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type {
  Appender,
  CorruptionStatus,
  Log,
  OpenOptions,
  Queryable,
  Schedule,
  SelectOptions,
  SeriesRef,
  SeriesSet,
  TsdbStatus,
} from './api.ts';
import { Blocks } from './block/blocks.ts';
import { writeBlock } from './block/block-writer.ts';
import { HeadAppender, type Refusals } from './head/head-appender.ts';
import { HeadBlockSource } from './head/head-block-source.ts';
import { HeadSeriesSet } from './head/head-series-set.ts';
import { Head } from './head/head.ts';
import { slotOf } from './head/ref-table.ts';
import { diskIo, type Io } from './io.ts';
import { lockFolder } from './lock.ts';
import { MergedSeriesSet } from './merged-series-set.ts';
import { writeCheckpoint } from './wal/checkpoint.ts';
import { encodeSchedules, encodeSeries } from './wal/records.ts';
import { replayWal, type ReplayReport } from './wal/replay.ts';
import { Wal } from './wal/wal.ts';

const HOUR_MS = 3_600_000;
const WAL_SEGMENT_BYTES = 128 << 20;
const MAINTENANCE_INTERVAL_MS = 60_000;
const TOP_LIST_LENGTH = 10;
