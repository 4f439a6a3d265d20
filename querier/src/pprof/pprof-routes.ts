// /debug/pprof: CPU and heap profiles of this process. What Go has and we have not (goroutines, locks, threads) is an empty profile.

import { Router } from '@flotilla/chassis';
import type { Request, Response } from '@flotilla/chassis';
import { Session } from 'node:inspector/promises';
import type { HeapProfiler, Profiler } from 'node:inspector';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeProfile } from './profile-encoder.ts';
import type { Frame, StackProfile, StackSample, ValueType } from './profile-encoder.ts';

const secondsDefault = { profile: 30, heap: 1 } as const;
const secondsMax = 120;
const empty = ['allocs', 'block', 'goroutine', 'mutex', 'threadcreate'];

export function pprofRoutes(): Router {
  const router = Router();
  const one = onlyOne();
  router.get(
    '/profile',
    one((seconds) => cpuProfile(seconds), secondsDefault.profile),
  );
  router.get(
    '/heap',
    one((seconds) => heapProfile(seconds), secondsDefault.heap),
  );
  for (const name of empty) {
    const types = [{ type: name, unit: 'count' }];
    router.get(`/${name}`, (_request, response) =>
      send(response, name, { types, samples: [], timeMs: Date.now(), durationMs: 0 }),
    );
  }
  return router;
}

type Take = (seconds: number) => Promise<StackProfile>;
type Handler = (request: Request, response: Response) => Promise<void>;

/** One profile at a time: each slows the process down. */
function onlyOne(): (take: Take, secondsUsual: number) => Handler {
  let busy = false;
  return (take, secondsUsual) => async (request, response) => {
    if (busy) {
      response.status(500).type('text/plain').send('Could not enable profiling: profiling already in use\n');
      return;
    }
    busy = true;
    try {
      const asked = Number(request.query['seconds'] ?? secondsUsual);
      const seconds = asked > 0 ? Math.min(asked, secondsMax) : secondsUsual;
      send(response, request.path.slice(1), await take(seconds));
    } finally {
      busy = false;
    }
  };
}

function send(response: Response, name: string, profile: StackProfile): void {
  response.setHeader('Content-Type', 'application/octet-stream');
  response.setHeader('Content-Disposition', `attachment; filename="${name}"`);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.end(encodeProfile(profile));
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

/** What was allocated while the profile was taken, and still lives. */
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
