// The database's own metrics, under Prometheus's names, where dashboards and alerts look for them.

import { appendCode } from './api.ts';
import type { Blocks } from './block/blocks.ts';
import type { Refusals } from './head/head-appender.ts';
import type { HeadChunkFiles } from './head/head-chunk-files.ts';
import type { Head } from './head/head.ts';
import type { Maintenance } from './maintenance.ts';
import type { ReplayReport } from './wal/replay.ts';
import type { Wal } from './wal/wal.ts';

export interface Measured {
  readonly head: Head;
  readonly wal: Wal;
  readonly wbl: Wal | undefined;
  readonly blocks: Blocks;
  readonly chunkFiles: HeadChunkFiles;
  readonly maintenance: Maintenance;
  readonly replayed: ReplayReport;
  /** Saved heads that were not used. */
  readonly snapshotErrors: number;
  readonly refusals: Refusals;
}

export function collectMetrics(measured: Measured): Record<string, number> {
  return {
    ...headMetrics(measured),
    ...exemplarMetrics(measured),
    ...walMetrics(measured),
    ...blockMetrics(measured),
  };
}

function headMetrics({ head, refusals, chunkFiles }: Measured): Record<string, number> {
  return {
    prometheus_tsdb_head_series: head.seriesCount,
    prometheus_tsdb_head_series_created_total: head.seriesCreated,
    prometheus_tsdb_head_series_removed_total: head.seriesRemoved,
    prometheus_tsdb_head_chunks_created_total: head.chunksSealed,
    prometheus_tsdb_head_samples_appended_total: head.samplesAppended,
    prometheus_tsdb_head_min_time: finite(head.minTimeMs),
    prometheus_tsdb_head_max_time: finite(head.maxTimeMs),
    prometheus_tsdb_head_max_time_seconds: finite(head.maxTimeMs) / 1000,
    prometheus_tsdb_out_of_order_samples_total: refusals[appendCode.outOfOrder],
    prometheus_tsdb_head_out_of_order_samples_appended_total: head.late.appended,
    prometheus_tsdb_out_of_bound_samples_total:
      refusals[appendCode.outOfBounds] + refusals[appendCode.tooOld],
    prometheus_tsdb_head_chunks: head.sealed.size,
    prometheus_tsdb_head_chunks_storage_size_bytes: chunkFiles.sizeBytes,
    prometheus_tsdb_mmap_chunk_corruptions_total: chunkFiles.damaged,
    flotilla_tsdb_head_chunk_writes_failed_total: chunkFiles.failures,
    flotilla_tsdb_head_chunk_bytes: head.sealed.memoryBytes,
    flotilla_tsdb_head_kernel_bytes: head.kernel.usedBytes,
    flotilla_tsdb_head_room_bytes: head.kernel.roomBytes,
    prometheus_tsdb_symbol_table_size_bytes: head.index.symbols.sizeBytes,
  };
}

function exemplarMetrics({ head: { exemplars } }: Measured): Record<string, number> {
  return {
    prometheus_tsdb_exemplar_exemplars_appended_total: exemplars.appended,
    prometheus_tsdb_exemplar_exemplars_in_storage: exemplars.size,
    prometheus_tsdb_exemplar_series_with_exemplars_in_storage: exemplars.seriesCount,
    prometheus_tsdb_exemplar_last_exemplars_timestamp_seconds: exemplars.oldestTimeMs / 1000,
    prometheus_tsdb_exemplar_out_of_order_exemplars_total: exemplars.outOfOrder,
    prometheus_tsdb_exemplar_max_exemplars: exemplars.max,
  };
}

function walMetrics({ wal, wbl, maintenance, replayed, snapshotErrors }: Measured): Record<string, number> {
  const lateFailures = wbl === undefined ? 0 : wbl.writesFailed + wbl.fsyncsFailed;
  return {
    prometheus_tsdb_wal_segment_current: wal.segment,
    prometheus_tsdb_wal_storage_size_bytes: wal.sizeBytes,
    // Either log makes a transaction fail: one metric tells of both.
    prometheus_tsdb_wal_writes_failed_total: wal.writesFailed + wal.fsyncsFailed + lateFailures,
    prometheus_tsdb_out_of_order_wbl_writes_failed_total: lateFailures,
    prometheus_tsdb_out_of_order_wbl_storage_size_bytes: wbl?.sizeBytes ?? 0,
    prometheus_tsdb_wal_corruptions_total: replayed.corruptions.length,
    prometheus_tsdb_wal_replay_unknown_refs_total: replayed.unknownSamples + replayed.unknownExemplars,
    prometheus_tsdb_snapshot_replay_error_total: snapshotErrors,
    flotilla_tsdb_wal_records_skipped_total: replayed.skippedRecords,
    prometheus_tsdb_wal_truncations_total: maintenance.checkpoints,
    prometheus_tsdb_checkpoint_creations_total: maintenance.checkpoints,
    prometheus_tsdb_head_truncations_total: maintenance.truncations,
  };
}

function blockMetrics({ blocks, head, maintenance }: Measured): Record<string, number> {
  const first = blocks.all[0]?.meta.minTime ?? Infinity;
  return {
    prometheus_tsdb_blocks_loaded: blocks.all.length,
    prometheus_tsdb_storage_blocks_bytes: blocks.sizeBytes,
    prometheus_tsdb_lowest_timestamp: finite(Math.min(first, head.minTimeMs)),
    prometheus_tsdb_lowest_timestamp_seconds: finite(Math.min(first, head.minTimeMs)) / 1000,
    prometheus_tsdb_time_retentions_total: blocks.timeRetentions,
    prometheus_tsdb_size_retentions_total: blocks.sizeRetentions,
    prometheus_tsdb_compactions_total: maintenance.compactions,
    prometheus_tsdb_compactions_failed_total: maintenance.failures,
    prometheus_tsdb_reloads_failures_total: blocks.corruptions.length,
    flotilla_tsdb_blocks_damaged_total: blocks.damagedBlocks,
    flotilla_tsdb_block_damaged_reads_total: blocks.damagedReads,
  };
}

/** An empty head has no times; gauges say 0. */
function finite(n: number): number {
  return Number.isFinite(n) ? n : 0;
}
