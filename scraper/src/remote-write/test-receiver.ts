// For tests: a receiver that is a real HTTP server, answers as it is told, and keeps what it took.

import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Labels } from '@flotilla/model';
import { decodeRemoteWrite, type ReceivedWrite, type RemoteWrite, uncompressSnappy } from '@flotilla/wire';

export interface TestAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string;
}

export interface TestRequest {
  readonly headers: IncomingHttpHeaders;
  readonly write: ReceivedWrite;
}

export class TestReceiver {
  readonly #server: Server;
  /** Every request that came, whatever became of it. */
  readonly requests: TestRequest[] = [];
  /** Those that were taken. */
  readonly taken: TestRequest[] = [];
  /** What to say; undefined says nothing, ever. */
  answer: (request: TestRequest) => TestAnswer | undefined = () => ({ status: 204 });

  private constructor() {
    this.#server = createServer((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        const isTwo = req.headers['content-type']?.includes('v2.Request') === true;
        const write = decodeRemoteWrite(
          isTwo ? '2.0' : '1.0',
          uncompressSnappy(Buffer.concat(chunks), 64 << 20),
        );
        const request = { headers: req.headers, write };
        this.requests.push(request);
        const answer = this.answer(request);
        if (answer === undefined) return;
        if (answer.status < 300) this.taken.push(request);
        res.writeHead(answer.status, answer.headers).end(answer.text);
      });
    });
  }

  static async open(): Promise<TestReceiver> {
    const receiver = new TestReceiver();
    await new Promise<void>((resolve) => {
      receiver.#server.listen(0, '127.0.0.1', resolve);
    });
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/api/v1/write`;
  }

  /** `series time value` of everything that was taken, in the order of each series. */
  lines(): string[] {
    return this.taken.flatMap(({ write }) => linesOf(write));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }
}

export function linesOf({ series }: ReceivedWrite): string[] {
  return series.flatMap(({ labels, timesMs, values, histograms }) => {
    const name = Labels.fromSorted(labels).toMetric();
    return [
      ...timesMs.map((timeMs, i) => `${name} ${timeMs} ${values[i]}`),
      ...histograms.map(({ timeMs, histogram }) => `${name} ${timeMs} count ${histogram.count}`),
    ];
  });
}

export function testDestination(url: string, change: Partial<RemoteWrite> = {}): RemoteWrite {
  return {
    name: 'test',
    url,
    timeoutMs: 5000,
    messageVersion: '1.0',
    headers: [],
    sendExemplars: true,
    sendNativeHistograms: true,
    sendMetadata: false,
    metadataIntervalMs: 60_000,
    metadataPerSendMax: 500,
    relabelings: [],
    auth: {},
    externalLabels: [],
    replicaLabel: '',
    ...change,
    queue: {
      capacity: 1000,
      minShards: 1,
      maxShards: 4,
      samplesPerSendMax: 50,
      batchSendDeadlineMs: 50,
      minBackoffMs: 5,
      maxBackoffMs: 20,
      retryOnRateLimit: true,
      sampleAgeLimitMs: 0,
      ...change.queue,
    },
  };
}
