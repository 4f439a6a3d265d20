// V8's profiles of the thread that asks.

import { Session } from 'node:inspector/promises';
import type { HeapProfiler, Profiler } from 'node:inspector';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Frame, StackProfile, StackSample, ValueType } from './profile-encoder.ts';

export type ProfileKind = 'profile' | 'heap';

export function takeProfile(kind: ProfileKind, seconds: number): Promise<StackProfile> {
  return kind === 'profile' ? cpuProfile(seconds) : heapProfile(seconds);
}

async function cpuProfile(seconds: number): Promise<StackProfile> {
  return withSession(async (session) => {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    const timeMs = Date.now();
    await sleep(seconds * 1000);
    const { profile } = await session.post('Profiler.stop');
    const types = [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ];
    const durationMs = (profile.endTime - profile.startTime) / 1000;
    return { types, samples: cpuSamples(profile, durationMs), timeMs, durationMs };
  });
}

/** Each sample stands for as much time as any other. */
function cpuSamples({ nodes, samples = [] }: Profiler.Profile, durationMs: number): StackSample[] {
  const nsPerSample = (durationMs * 1e6) / Math.max(1, samples.length);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(
    nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)),
  );
  return nodes.flatMap(({ id, hitCount = 0 }) => {
    if (hitCount === 0) return [];
    const stack: Frame[] = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const node = byId.get(at);
      if (node !== undefined) stack.push(frameOf(node.callFrame));
    }
    return [{ stack, values: [hitCount, hitCount * nsPerSample] }];
  });
}

const heapTypes: readonly ValueType[] = [
  { type: 'inuse_objects', unit: 'count' },
  { type: 'inuse_space', unit: 'bytes' },
];

/** What was allocated in this thread while the profile was taken, and still lives. */
async function heapProfile(seconds: number): Promise<StackProfile> {
  return withSession(async (session) => {
    await session.post('HeapProfiler.startSampling');
    const timeMs = Date.now();
    await sleep(seconds * 1000);
    const { profile } = await session.post('HeapProfiler.stopSampling');
    const samples = heapSamples(profile.head, []);
    return { types: heapTypes, samples, timeMs, durationMs: seconds * 1000 };
  });
}

function heapSamples(node: HeapProfiler.SamplingHeapProfileNode, above: readonly Frame[]): StackSample[] {
  const stack = [frameOf(node.callFrame), ...above];
  const own = node.selfSize > 0 ? [{ stack, values: [1, node.selfSize] }] : [];
  return [...own, ...node.children.flatMap((child) => heapSamples(child, stack))];
}

function frameOf({
  functionName,
  url,
  lineNumber,
}: {
  functionName: string;
  url: string;
  lineNumber: number;
}): Frame {
  return { name: functionName || '(anonymous)', file: url, line: lineNumber + 1 };
}

async function withSession<T>(work: (session: Session) => Promise<T>): Promise<T> {
  const session = new Session();
  session.connect();
  try {
    return await work(session);
  } finally {
    session.disconnect();
  }
}
