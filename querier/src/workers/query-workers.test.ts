// The pool without stores: what becomes of jobs when their worker dies, ends, or is told that nobody waits.

import { afterEach, expect, test } from '@jest/globals';
import { createLogger, createMetrics } from '@flotilla/chassis';
import type { Registry } from '@flotilla/chassis';
import type { ResourceLimits } from 'node:worker_threads';
import type { QueryJob } from '../evaluation/jobs.ts';
import { QueryWorkers } from './query-workers.ts';

const topology = { version: 1, fleet: 'main', replicas: 1, epochs: [], stores: [], operatorUrl: '' } as const;
const patient = new AbortController().signal;
const lines: string[] = [];
let opened: QueryWorkers | undefined;

afterEach(async () => opened?.close());

function open(limits?: ResourceLimits): { workers: QueryWorkers; metrics: Registry } {
  const metrics = createMetrics('test');
  opened = new QueryWorkers({
    setup: {
      engine: { maxBytes: 1e9 },
      parser: {},
      lookbackMs: 300_000,
      tokenFile: undefined,
      storeTimeoutMs: 1000,
      storeConnectTimeoutMs: 500,
    },
    max: 2,
    ...(limits !== undefined && { limits }),
    topology: () => topology,
    log: createLogger({ name: 'test', write: (line) => void lines.push(line) }),
    metrics,
  });
  return { workers: opened, metrics };
}

function queryJob(query: string): QueryJob {
  const span = { startMs: 1000, endMs: 1000, stepMs: 0 };
  const plain = { lookbackMs: undefined, limit: 0, dedup: true, allowPartial: true, stats: '', gzip: false };
  const job = {
    kind: 'query',
    query,
    isRange: false,
    timeoutMs: 60_000,
    withExactHistograms: false,
  } as const;
  return { ...job, ...span, ...plain };
}

async function ask(workers: QueryWorkers, query: string, signal = patient): Promise<string> {
  const { pieces } = await workers.run(queryJob(query), signal, () => undefined);
  let text = '';
  for await (const { bytes } of pieces) text += Buffer.from(bytes).toString();
  return text;
}

const value = async (metrics: Registry, name: string): Promise<number> =>
  Number(new RegExp(`^${name} (.*)$`, 'm').exec(await metrics.metrics())?.[1]);

test('a worker that runs out of memory fails what is in it, by name, and is replaced', async () => {
  const { workers, metrics } = open({ maxOldGenerationSizeMb: 48 });
  expect(await ask(workers, '1 + 1')).toContain('"2"]');
  // Each selector is as long as it may be; its matchers are many times as large.
  const matchers = Array.from({ length: 60_000 }, (_, i) => `l${i}="v${i}"`);
  const selectors = Array.from({ length: 50 }, () => `{${matchers.join(',')}}`);
  const job = { kind: 'federate', selectors, utf8: true, allowPartial: true } as const;
  await expect(workers.run(job, patient, () => undefined)).rejects.toMatchObject({
    errorType: 'unavailable',
    message: expect.stringMatching(/^query worker 1 ended with the query in it: .*memory/),
  });
  expect(await ask(workers, '1 + 2')).toContain('"3"]');
  expect(await value(metrics, 'flotilla_querier_worker_deaths_total')).toBe(1);
  expect(lines.join('\n')).toContain('query worker ended');
});

/** Many steps of nothing: it takes longer than any test. */
const endless = 'count_over_time((count_over_time((vector(1))[1h:1ms]))[1h:1s])';

test('a query ends when nobody waits for it, or its time is up', async () => {
  const { workers, metrics } = open();
  const check = async (reason: Error, errorType: string): Promise<void> => {
    const caller = new AbortController();
    const answer = ask(workers, endless, caller.signal);
    setTimeout(() => caller.abort(reason), 100);
    await expect(answer).rejects.toMatchObject({ errorType });
  };
  await check(new Error('the client went'), 'canceled');
  await check(new DOMException('late', 'TimeoutError'), 'timeout');
  expect(await ask(workers, '1 + 1')).toContain('"2"]');
  expect(await value(metrics, 'flotilla_querier_worker_deaths_total')).toBe(0);
});

test('queries in workers that end are told so; a busy worker brings another one', async () => {
  const { workers, metrics } = open();
  const answers = [ask(workers, endless), ask(workers, endless), ask(workers, endless)];
  const ends = answers.map((answer) =>
    expect(answer).rejects.toMatchObject({ message: expect.stringContaining('the querier ends') }),
  );
  expect(await value(metrics, 'flotilla_querier_workers')).toBe(2);
  await workers.close();
  await Promise.all(ends);
});
