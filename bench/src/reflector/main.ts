// Bench: memory of an operator that holds the pods of a large cluster, read from a real API server. There is no peer: the ratio
// is that to the budget.

import { freePort } from '@flotilla/chassis';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuSeconds, readMetric, residentBytes } from '../process-usage.ts';
import { ControlPlane } from './control-plane.ts';
import { realisticPod } from './pods.ts';

interface Figures {
  readonly rssBytes: number;
  readonly peakBytes: number;
  readonly cpuSeconds: number;
  readonly syncSeconds: number;
}

const podCounts: Readonly<Record<string, number>> = { small: 2000, full: 50_000 };
const budgetBytes = 200 * 2 ** 20;
/** Those of the chart, whose memory limit is 1 GiB by default. */
const nodeFlags = ['--max-old-space-size=716', '--max-semi-space-size=2'];
const settleMs = 15_000;
const syncTimeoutMs = 600_000;

const { values: flags } = parseArgs({
  options: {
    size: { type: 'string', default: 'full' },
    peer: { type: 'string', default: '' },
    rounds: { type: 'string' },
  },
});
const count = podCounts[flags.size]!;
const controlPlane = new ControlPlane();
try {
  await controlPlane.start(flags.peer);
  const empty = await measure(0);
  const sizeBytes = await controlPlane.fill(count, realisticPod);
  console.log(`${count} pods of ${Math.round(sizeBytes / count)} bytes`);
  const full = await measure(count);
  const report = {
    bench: 'reflector',
    size: flags.size,
    pods: count,
    ratios: { budget: Math.round((full.rssBytes / budgetBytes) * 1000) / 1000 },
    bytesPerPod: Math.round((full.rssBytes - empty.rssBytes) / count),
    empty,
    full,
  };
  console.log(JSON.stringify(report));
  if (full.rssBytes > budgetBytes) process.exitCode = 1;
} finally {
  await controlPlane.stop();
}

/** Of a new operator, some time after it has read everything. */
async function measure(pods: number): Promise<Figures> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const main = fileURLToPath(new URL('../../../operator/dist/main.js', import.meta.url));
  const startedMs = performance.now();
  const child = controlPlane.spawn('operator', process.execPath, [
    ...[...nodeFlags, main, '--kubernetes', '--kubeconfig', controlPlane.kubeconfig, '--image', 'none'],
    ...['--web.listen-address', `127.0.0.1:${port}`],
  ]);
  const isSynced = async (): Promise<boolean> =>
    (await readMetric(url, 'flotilla_reflector_synced{kind="Pod"}')) === 1 &&
    (await readMetric(url, 'flotilla_reflector_items{kind="Pod"}')) === pods;
  await controlPlane.until('operator', isSynced, syncTimeoutMs);
  const syncSeconds = (performance.now() - startedMs) / 1000;
  await sleep(settleMs);
  const { pid = 0 } = child;
  const figures = {
    rssBytes: residentBytes(pid),
    peakBytes: peakBytes(pid),
    cpuSeconds: cpuSeconds(pid),
    syncSeconds: Math.round(syncSeconds * 10) / 10,
  };
  await controlPlane.end('operator');
  console.log(
    `${pods} pods: ${mebibytes(figures.rssBytes)} MiB, at most ${mebibytes(figures.peakBytes)} MiB, read in ${figures.syncSeconds} s`,
  );
  return figures;
}

function peakBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
