// The samples that queries are measured over: containers of pods with counters, gauges, classic and native histograms, as
// noisy as real ones, up to the last whole minute.

import { Labels } from '@flotilla/model';
import { type NativeHistogram, Tsdb } from '@flotilla/tsdb';

export const INTERVAL_MS = 30_000;
export const STEPS = 240;

const containers = ['app', 'proxy', 'sidecar'];
const bounds = ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '+Inf'];

/** A series and its next values. */
interface Source {
  readonly labels: Labels;
  readonly next: () => number | NativeHistogram;
}

function counter(): () => number {
  let value = Math.random() * 1000;
  return () => (value += Math.random() * 40);
}

function gauge(): () => number {
  let value = Math.random() * 1e6;
  return () => (value += Math.random() * 2000 - 1000);
}

/** Of the buckets in a row of a native histogram, as latencies have them: most observations are near the median. */
const spans = [
  { offset: -18, length: 4 },
  { offset: 2, length: 16 },
  { offset: 3, length: 4 },
];
const buckets = 24;
const observationsMax = 40;

/** Each sample is one of its own, as the appender keeps them. */
function nativeHistogram(): () => NativeHistogram {
  const counts = Array.from({ length: buckets }, () => 1 + Math.floor(Math.random() * 1000));
  let sum = 0;
  return () => {
    for (let left = Math.floor(Math.random() * observationsMax); left > 0; left--) {
      const place = (Math.random() + Math.random() + Math.random()) / 3;
      counts[Math.floor(place * buckets)]!++;
      sum += Math.random();
    }
    return {
      schema: 3,
      zeroThreshold: 2 ** -128,
      positiveSpans: spans,
      negativeSpans: [],
      customBounds: [],
      isFloat: false,
      isStale: false,
      hint: 'unknown',
      count: counts.reduce((all, count) => all + count, 0),
      zeroCount: 0,
      sum,
      positive: counts.slice(),
      negative: [],
    };
  };
}

function sources(pods: number): Source[] {
  const found: Source[] = [];
  for (let i = 0; i < pods; i++) {
    const pod = { pod: `web-${i}`, namespace: `ns-${i % 20}` };
    const add = (record: Record<string, string>, next: Source['next']): void => {
      found.push({ labels: Labels.fromRecord({ ...pod, ...record }), next });
    };
    for (const container of containers) {
      add({ __name__: 'http_requests_total', container }, counter());
      add({ __name__: 'memory_bytes', container }, gauge());
    }
    for (const le of bounds) add({ __name__: 'latency_seconds_bucket', le }, counter());
    add({ __name__: 'request_duration_seconds' }, nativeHistogram());
  }
  return found;
}

/** Writes two hours for each pod into a new database; resolves to the time of the last sample. */
export async function writeSamples(dir: string, pods: number): Promise<number> {
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const tsdb = await Tsdb.open({ dir, retentionMs: 1e9, log });
  const all = sources(pods);
  const endMs = Math.floor(Date.now() / 60_000) * 60_000 - 60_000;
  for (let i = 0; i <= STEPS; i++) {
    const appender = tsdb.appender();
    const timeMs = endMs - (STEPS - i) * INTERVAL_MS;
    for (const { labels, next } of all) {
      const ref = appender.series(labels, { targetId: 1, intervalMs: INTERVAL_MS, phaseMs: 0 });
      const sample = next();
      if (typeof sample === 'number') appender.append(ref, timeMs, sample);
      else appender.appendHistogram(ref, timeMs, sample);
    }
    appender.commit();
  }
  await tsdb.close();
  return endMs;
}
