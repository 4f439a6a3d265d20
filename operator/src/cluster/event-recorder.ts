// Events about objects, in the objects' own namespaces, so that those who own them see them with `kubectl describe`.
//
// The same event again within ten minutes becomes a series of one object. Beyond a rate they are dropped and counted in the
// log: a storm of refusals must not become a storm of requests.

import { errorText } from '@flotilla/chassis';
import type { Logger } from '@flotilla/chassis';
import { createHash } from 'node:crypto';
import { KubeApiError } from './api-client.ts';
import type { ApiClient } from './api-client.ts';
import { resourcePath, RESOURCES } from './resources.ts';

export interface EventRecorderOptions {
  readonly client: ApiClient;
  /** Of events about objects that have no namespace. */
  readonly namespace: string;
  /** `domain/name`. */
  readonly reportingController: string;
  /** Which instance of it. */
  readonly identity: string;
  readonly log: Logger;
}

export interface KubeEvent {
  readonly regarding: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
  };
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

interface Recorded {
  readonly path: string;
  readonly atMs: number;
  readonly count: number;
}

const seriesMs = 10 * 60_000;
const perMinuteMax = 50;
/** The API server's limit is 1024 bytes. */
const noteBytesMax = 1020;
/** Waiting to be written: an API server that is slow or away. */
const waitingMax = 100;
const recordedMax = 5000;

export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #recorded = new Map<string, Recorded>();
  #turn: Promise<void> = Promise.resolve();
  #minuteStartMs = -Infinity;
  #inMinute = 0;
  #dropped = 0;
  #waiting = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /** Never throws; one that cannot be written is logged. */
  record(event: KubeEvent): void {
    if (!this.#admit()) return;
    this.#waiting++;
    this.#turn = this.#turn
      .then(() => this.#write(event))
      .catch((error: unknown) =>
        this.#options.log.warn('event not recorded', { reason: event.reason, err: errorText(error) }),
      )
      .finally(() => this.#waiting--);
  }

  #admit(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#minuteStartMs > 60_000) {
      if (this.#dropped > 0) this.#options.log.warn('events dropped', { count: this.#dropped });
      this.#minuteStartMs = nowMs;
      this.#inMinute = 0;
      this.#dropped = 0;
    }
    if (this.#inMinute < perMinuteMax && this.#waiting < waitingMax) {
      this.#inMinute++;
      return true;
    }
    this.#dropped++;
    return false;
  }

  async #write(event: KubeEvent): Promise<void> {
    const key = createHash('sha256').update(JSON.stringify(event)).digest('hex').slice(0, 16);
    const nowMs = performance.now();
    const before = this.#recorded.get(key);
    if (before !== undefined && nowMs - before.atMs < seriesMs) {
      const count = before.count + 1;
      if (await this.#addToSeries(before.path, count)) {
        this.#recorded.set(key, { ...before, atMs: nowMs, count });
        return;
      }
    }
    const path = await this.#create(event, key);
    this.#recorded.set(key, { path, atMs: nowMs, count: 1 });
    const [oldest] = this.#recorded.keys();
    if (this.#recorded.size > recordedMax && oldest !== undefined) this.#recorded.delete(oldest);
  }

  /** False when the event has expired in between. */
  async #addToSeries(path: string, count: number): Promise<boolean> {
    try {
      await this.#options.client.patch(path, { series: { count, lastObservedTime: microTime() } });
      return true;
    } catch (error) {
      if (error instanceof KubeApiError && error.status === 404) return false;
      throw error;
    }
  }

  async #create({ regarding, type, reason, action, note }: KubeEvent, key: string): Promise<string> {
    const { client, reportingController, identity } = this.#options;
    const namespace = regarding.namespace || this.#options.namespace;
    const prefix = regarding.name.slice(0, 200).replace(/[^a-z0-9]+$/, '');
    const name = `${prefix}.${key}${Date.now().toString(16)}`;
    await client.create(resourcePath(RESOURCES.Event, { namespace }), {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name, namespace },
      eventTime: microTime(),
      reportingController,
      reportingInstance: identity.slice(0, 128),
      regarding,
      type,
      reason,
      action,
      note: shortened(note),
    });
    return resourcePath(RESOURCES.Event, { namespace, name });
  }
}

/** Kubernetes's MicroTime has six digits. */
function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z');
}

/** Ends with an ellipsis where it was cut; never inside a character. */
function shortened(note: string): string {
  if (Buffer.byteLength(note) <= noteBytesMax) return note;
  const cut = Buffer.from(note).subarray(0, noteBytesMax).toString('utf8');
  return `${cut.replace(/\uFFFD$/, '')}…`;
}
