// Alerts to Alertmanagers (API v2). Every Alertmanager has its own queue and loop: a dead one does not delay the others.

import { collectFrom, errorText } from '@flotilla/chassis';
import type { Logger, Registry } from '@flotilla/chassis';
import { setTimeout as sleep } from 'node:timers/promises';

/** An alert as Alertmanager's API takes it. */
export interface Notification {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL: string;
}

const queueCapacity = 10_000;
const batchMax = 256;
const timeoutMs = 10_000;
const backoffMs = { first: 200, max: 10_000 };
const drainMs = 3000;

export class Notifier {
  readonly #queues: readonly AlertmanagerQueue[];

  constructor(urls: readonly string[], log: Logger, registry: Registry) {
    this.#queues = urls.map((url) => new AlertmanagerQueue(url, log));
    this.#collect(registry);
  }

  send(notifications: readonly Notification[]): void {
    for (const queue of this.#queues) queue.add(notifications);
  }

  /** Where alerts are posted to. */
  urls(): string[] {
    return this.#queues.map(({ alertsUrl }) => alertsUrl);
  }

  /** Sends what is queued, as far as that goes in a few seconds. */
  async stop(): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.stop()));
  }

  #collect(registry: Registry): void {
    const perAlertmanager = (name: string, help: string, read: (queue: AlertmanagerQueue) => number): void =>
      collectFrom(registry, name, help, 'counter', ['alertmanager'], (emit) => {
        for (const queue of this.#queues) emit(read(queue), queue.url);
      });
    perAlertmanager('prometheus_notifications_sent_total', 'Alerts sent.', ({ sent }) => sent);
    perAlertmanager(
      'prometheus_notifications_errors_total',
      'Alerts that failed to be sent.',
      ({ errors }) => errors,
    );
    collectFrom(
      registry,
      'prometheus_notifications_dropped_total',
      'Alerts dropped.',
      'counter',
      [],
      (emit) => emit(this.#queues.reduce((sum, { dropped }) => sum + dropped, 0)),
    );
    const gauge = (name: string, help: string, read: () => number): void =>
      collectFrom(registry, name, help, 'gauge', [], (emit) => emit(read()));
    gauge(
      'prometheus_notifications_alertmanagers_discovered',
      'Alertmanagers known.',
      () => this.#queues.length,
    );
    gauge('prometheus_notifications_queue_capacity', 'Alerts that a queue holds.', () => queueCapacity);
    gauge('prometheus_notifications_queue_length', 'Alerts waiting, longest queue.', () =>
      Math.max(0, ...this.#queues.map(({ length }) => length)),
    );
  }
}

class AlertmanagerQueue {
  readonly url: string;
  sent = 0;
  errors = 0;
  dropped = 0;
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  #waiting: Notification[] = [];
  #isFailing = false;
  #loop: Promise<void> | undefined;

  constructor(url: string, log: Logger) {
    this.url = url.replace(/\/+$/, '');
    this.#log = log;
  }

  get alertsUrl(): string {
    return `${this.url}/api/v2/alerts`;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** The oldest are dropped when the queue is full: the newest state of an alert is the one that counts. */
  add(notifications: readonly Notification[]): void {
    if (this.#stopping.signal.aborted) return;
    this.#waiting.push(...notifications);
    const tooMany = this.#waiting.length - queueCapacity;
    if (tooMany > 0) {
      this.#waiting.splice(0, tooMany);
      this.dropped += tooMany;
    }
    this.#loop ??= this.#run().finally(() => {
      this.#loop = undefined;
    });
  }

  async stop(): Promise<void> {
    await Promise.race([this.#loop, sleep(drainMs, undefined, { ref: false })]);
    this.#stopping.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    let waitMs = backoffMs.first;
    while (this.#waiting.length > 0 && !this.#stopping.signal.aborted) {
      const batch = this.#waiting.slice(0, batchMax);
      if (await this.#post(batch)) {
        this.#waiting = this.#waiting.filter((one) => !batch.includes(one));
        waitMs = backoffMs.first;
        continue;
      }
      await sleep(waitMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      waitMs = Math.min(waitMs * 2, backoffMs.max);
    }
  }

  async #post(batch: readonly Notification[]): Promise<boolean> {
    try {
      const response = await fetch(this.alertsUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(batch),
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), this.#stopping.signal]),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`status ${response.status}`);
      this.sent += batch.length;
      if (this.#isFailing) this.#log.info('alerts are delivered again', { alertmanager: this.url });
      this.#isFailing = false;
      return true;
    } catch (error) {
      this.errors += batch.length;
      if (!this.#isFailing) {
        this.#log.warn('alerts not delivered, will retry', {
          alertmanager: this.url,
          alerts: batch.length,
          err: errorText(error),
        });
      }
      this.#isFailing = true;
      return false;
    }
  }
}
