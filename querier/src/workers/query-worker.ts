// The thread that evaluates: it has its own engine, its own connections to stores, and its own idea of which of them are well.
//
// It loads no HTTP server, metrics or logs. Jobs take turns where they wait for stores and between batches of the engine.

import { collectGarbage, createInternalClient } from '@flotilla/chassis/thread';
import { Engine } from '@flotilla/promql';
import type { Topology } from '@flotilla/wire';
import { getHeapStatistics } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { ReplicaChoice } from '../stores/replica-choice.ts';
import { StoreClient } from '../stores/store-client.ts';
import type { ToWorker, WorkerSetup } from './messages.ts';
import { OldHeap } from './old-heap.ts';
import { RunningJob } from './running-job.ts';
import type { WorkerParts } from './running-job.ts';

const port = parentPort!;
const { engine, parser, lookbackMs, tokenFile, ...setup } = workerData as WorkerSetup;
const storeResults: [string, boolean][] = [];
const http = createInternalClient({
  tokenFile,
  timeoutMs: setup.storeTimeoutMs,
  connectTimeoutMs: setup.storeConnectTimeoutMs,
});
const parts: WorkerParts = {
  engine: new Engine({ ...engine, parser }),
  parser,
  lookbackMs,
  client: new StoreClient(http),
  choice: new ReplicaChoice(({ name }, good) => void storeResults.push([name, good])),
  takeStoreResults: () => storeResults.splice(0),
  post: (message, transfer) => port.postMessage(message, transfer),
};
const jobs = new Map<number, RunningJob>();
const oldHeap = new OldHeap({
  usedBytes: () => getHeapStatistics().used_heap_size,
  collect: collectGarbage,
});
let topology: Topology | undefined;

port.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'topology':
      ({ topology } = message);
      break;
    case 'begin': {
      const { id, job } = message;
      const running = new RunningJob(id, parts, topology!);
      jobs.set(id, running);
      oldHeap.begin();
      void running.run(job).finally(() => {
        jobs.delete(id);
        oldHeap.end();
      });
      break;
    }
    case 'taken':
      jobs.get(message.id)?.taken();
      break;
    case 'cancel':
      jobs.get(message.id)?.cancel(message.isLate);
      break;
    case 'profile':
      void sendProfile(message);
  }
});

async function sendProfile({ id, profile: kind, seconds }: ToWorker & { kind: 'profile' }): Promise<void> {
  const { takeProfile } = await import('../pprof/thread-profiles.ts');
  const profile = await takeProfile(kind, seconds).catch(() => undefined);
  parts.post({ kind: 'profile', id, profile });
}
parts.post({ kind: 'ready' });
