// What one destination counts, in plain numbers. Names: remote-write-metrics.ts.

export interface Counts {
  samples: number;
  histograms: number;
  exemplars: number;
}

export function noCounts(): Counts {
  return { samples: 0, histograms: 0, exemplars: 0 };
}

export function addCounts(to: Counts, what: Readonly<Counts>): void {
  to.samples += what.samples;
  to.histograms += what.histograms;
  to.exemplars += what.exemplars;
}

/** Why samples were never sent. The first three are Prometheus's words. */
export const dropReasons = [
  'dropped_series',
  'too_old',
  'unintentionally_dropped_series',
  'native_histograms_off',
  'wal_truncated',
] as const;
/** Exemplars have no reasons, as in Prometheus. */
export type DropReason = (typeof dropReasons)[number] | 'exemplars';

export class SendStats {
  readonly sent: Counts = noCounts();
  readonly failed: Counts = noCounts();
  readonly retried: Counts = noCounts();
  readonly dropped: Record<DropReason, number> = {
    dropped_series: 0,
    too_old: 0,
    unintentionally_dropped_series: 0,
    native_histograms_off: 0,
    exemplars: 0,
    wal_truncated: 0,
  };
  pending: Counts = noCounts();
  samplesIn = 0;
  bytes = 0;
  metadataBytes = 0;
  metadata = 0;
  metadataFailed = 0;
  metadataRetried = 0;
  shards = 0;
  shardsDesired = 0;
  highestReadMs = 0;
  highestSentMs = 0;
}
