// The assignment over HTTP: the stream, heartbeats, secrets. Contract: docs/format/assignment.md.

import { jsonBody, protobufBody, Router } from '@flotilla/chassis';
import type { Logger, Request, RequestHandler, Response } from '@flotilla/chassis';
import { BadRequest, Unavailable } from '@flotilla/model';
import { decodeHeartbeat, encodeAssignmentFrame, encodeFrame } from '@flotilla/wire';
import type { SecretRef } from '@flotilla/wire';
import type { AssignmentBook } from './assignment-book.ts';
import type { Heartbeats } from './heartbeats.ts';

export interface AssignmentRoutesOptions {
  readonly book: AssignmentBook;
  readonly heartbeats: Heartbeats;
  readonly log: Logger;
  /** Streams end when it aborts. */
  readonly closing: AbortSignal;
  readonly authenticate: RequestHandler;
  readonly fleet: () => string;
  readonly onHeartbeat: () => void;
  /** The base64 value of a key, undefined when there is none. */
  readonly secret: (ref: SecretRef) => string | undefined;
}

const keepaliveMs = 5000;
const heartbeatBytesMax = 64 << 20;
const secretsBytesMax = 1 << 20;
/** A client that takes this much less than it is sent is cut; it comes back with its version. */
const backlogBytesMax = 64 << 20;

/** The routes, and `push`, which sends each open stream of a shard what is new. */
export class AssignmentServer {
  readonly router: Router;
  readonly #options: AssignmentRoutesOptions;
  readonly #streams = new Set<AssignmentStream>();

  constructor(options: AssignmentRoutesOptions) {
    this.#options = options;
    this.router = Router();
    this.router.use(options.authenticate);
    this.router.get('/stream', (request, response) => this.#openStream(request, response));
    this.router.post('/heartbeat', protobufBody(heartbeatBytesMax), (request, response) =>
      this.#heartbeat(request, response),
    );
    this.router.post('/secrets', jsonBody(secretsBytesMax), (request, response) =>
      this.#secrets(request, response),
    );
    options.closing.addEventListener('abort', () => {
      for (const stream of this.#streams) stream.end();
    });
  }

  get streams(): number {
    return this.#streams.size;
  }

  push(shards: readonly number[]): void {
    for (const stream of this.#streams) if (shards.includes(stream.shard)) stream.update();
  }

  #openStream(request: Request, response: Response): void {
    const { book, fleet } = this.#options;
    if (!book.isFilled) throw new Unavailable('assignment: discovery is not synced yet');
    const query = request.query as Readonly<Record<string, string>>;
    const shard = Number(query['shard']);
    if (query['fleet'] !== fleet())
      throw new BadRequest(`assignment: fleet "${query['fleet']}", want "${fleet()}"`);
    if (book.current(shard) === undefined)
      throw new BadRequest(`assignment: there is no shard ${query['shard']}`);
    response.status(200).setHeader('Content-Type', 'application/x-flotilla-assignment; version=1');
    const stream = new AssignmentStream(shard, query['version'] ?? '', book, response);
    this.#streams.add(stream);
    response.once('close', () => {
      stream.end();
      this.#streams.delete(stream);
    });
    stream.update();
  }

  #heartbeat(request: Request, response: Response): void {
    const { heartbeats, fleet, onHeartbeat } = this.#options;
    const heartbeat = decodeHeartbeat(request.body as Uint8Array);
    if (heartbeat.fleet !== fleet())
      throw new BadRequest(`heartbeat: fleet "${heartbeat.fleet}", want "${fleet()}"`);
    heartbeats.take(heartbeat, Date.now());
    response.status(204).end();
    onHeartbeat();
  }

  #secrets(request: Request, response: Response): void {
    const { refs } = (request.body ?? {}) as { refs?: readonly SecretRef[] };
    if (!Array.isArray(refs)) throw new BadRequest('secrets: want {"refs": […]}');
    const values = (refs as readonly SecretRef[]).flatMap((ref) => {
      const value = this.#options.secret(ref);
      return value === undefined ? [] : [[`${ref.kind}/${ref.namespace}/${ref.name}/${ref.key}`, value]];
    });
    response.setHeader('Cache-Control', 'no-store');
    response.json({ values: Object.fromEntries(values) as Record<string, string> });
  }
}

class AssignmentStream {
  readonly shard: number;
  readonly #book: AssignmentBook;
  readonly #response: Response;
  readonly #keepalive: NodeJS.Timeout;
  #version: string;
  #isFirst = true;

  constructor(shard: number, version: string, book: AssignmentBook, response: Response) {
    this.shard = shard;
    this.#version = version;
    this.#book = book;
    this.#response = response;
    this.#keepalive = setInterval(() => this.#send(true), keepaliveMs);
  }

  update(): void {
    this.#send(this.#isFirst);
    this.#isFirst = false;
  }

  end(): void {
    clearInterval(this.#keepalive);
    this.#response.end();
  }

  #send(evenKeepalive: boolean): void {
    const frame = this.#book.frameFrom(this.shard, this.#version);
    if (frame === undefined || (frame.kind === 'keepalive' && !evenKeepalive)) return;
    if (this.#response.writableLength > backlogBytesMax) {
      this.#response.destroy();
      return;
    }
    this.#response.write(encodeFrame(encodeAssignmentFrame(frame)));
    this.#version = this.#book.current(this.shard)?.version ?? this.#version;
  }
}
