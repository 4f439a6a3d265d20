// CPU and memory of a process under test, from /proc.

import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';

/** Linux's USER_HZ, which is 100 wherever Node runs. */
const ticksPerSecond = 100;
const pageTimeoutMs = 60_000;

/** Of a process since its start, in seconds. */
export interface CpuTimes {
  readonly user: number;
  readonly system: number;
}

export function cpuTimes(pid: number): CpuTimes {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { user: Number(fields[11]) / ticksPerSecond, system: Number(fields[12]) / ticksPerSecond };
}

/** User and system time of a process since its start, seconds. */
export function cpuSeconds(pid: number): number {
  const { user, system } = cpuTimes(pid);
  return user + system;
}

export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

/** Sum of the samples of a metric on a /metrics page. */
export async function readMetric(url: string, name: string): Promise<number> {
  const page = await getOnce(`${url}/metrics`);
  const lines = page.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  if (lines.length === 0) throw new Error(`${url}/metrics: there is no ${name}`);
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Over a connection of its own: one that was kept for seconds may be closed by the server just when it is used again. */
function getOnce(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, signal: AbortSignal.timeout(pageTimeoutMs) }, (response) => {
      text(response).then(resolve, reject);
    });
    request.on('error', reject);
  });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
