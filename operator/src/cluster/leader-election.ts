// Leader election by Lease, as client-go does it: a record that did not change for a whole lease duration, seen by the local
// monotonic clock, is up for taking; the resourceVersion decides between two who try.
//
// Whoever cannot renew gives up well before others may take over, so that two never lead at once by more than a clock's drift.

import { errorText } from '@flotilla/chassis';
import type { Logger } from '@flotilla/chassis';
import { KubeApiError } from './api-client.ts';
import type { ApiClient, CallLimits } from './api-client.ts';
import { resourcePath, RESOURCES } from './resources.ts';

export interface LeaderElectionOptions {
  readonly client: ApiClient;
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  readonly log: Logger;
  /** Called with false before anybody else may take the lease. */
  readonly onChange: (isLeader: boolean) => void;
  /** How long others leave the lease alone. */
  readonly leaseMs?: number;
  /** How long a leader goes on that cannot renew; less than leaseMs. */
  readonly renewMs?: number;
  readonly retryMs?: number;
}

interface Lease {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly resourceVersion?: string };
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

const leaseMsDefault = 15_000;
const renewMsDefault = 10_000;
const retryMsDefault = 2000;

export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #leaseMs: number;
  readonly #renewMs: number;
  readonly #retryMs: number;
  #isLeader = false;
  #observed = '';
  #observedAtMs = 0;
  #observedLeaseMs = 0;
  #renewedAtMs = 0;
  #holder = '';
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? leaseMsDefault;
    this.#renewMs = options.renewMs ?? renewMsDefault;
    this.#retryMs = options.retryMs ?? retryMsDefault;
  }

  /** False as soon as the lease could not be renewed in time, whether or not the loop has noticed. */
  get isLeader(): boolean {
    return this.#isLeader && performance.now() - this.#renewedAtMs < this.#renewMs;
  }

  /** Who holds the lease, as far as is known; '' for nobody. */
  get holder(): string {
    return this.#holder;
  }

  start(): void {
    this.#turn = this.#tick();
  }

  /** Gives the lease up if it is held. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#turn;
    if (!this.#isLeader) return;
    this.#set(false);
    await this.#release().catch((error: unknown) =>
      this.#options.log.warn('lease not released', { err: errorText(error) }),
    );
  }

  async #tick(): Promise<void> {
    try {
      await this.#tryToLead();
    } catch (error) {
      if (!isConflict(error)) this.#options.log.warn('leader election: no answer', { err: errorText(error) });
    }
    if (this.#stopped) return;
    const jitterMs = this.#isLeader ? 0 : Math.random() * this.#retryMs * 0.2;
    this.#timer = setTimeout(() => void (this.#turn = this.#tick()), this.#retryMs + jitterMs);
  }

  async #tryToLead(): Promise<void> {
    const startedAtMs = performance.now();
    const lease = await this.#read();
    this.#observe(lease);
    const isOwn = this.#holder === this.#options.identity;
    const isFree =
      this.#holder === '' ||
      performance.now() - this.#observedAtMs > Math.max(this.#leaseMs, this.#observedLeaseMs);
    if (!isOwn && !isFree) {
      this.#set(false);
      return;
    }
    this.#observe(await this.#write(lease, isOwn));
    this.#renewed(startedAtMs);
  }

  #observe(lease: Lease | undefined): void {
    const record = JSON.stringify(lease?.spec ?? {});
    if (record !== this.#observed) this.#observedAtMs = performance.now();
    this.#observed = record;
    this.#observedLeaseMs = (lease?.spec?.leaseDurationSeconds ?? 0) * 1000;
    this.#holder = lease?.spec?.holderIdentity ?? '';
  }

  /** Counts from before the request. One that was answered too late to count leads to another. */
  #renewed(atMs: number): void {
    this.#renewedAtMs = atMs;
    if (performance.now() - atMs < this.#renewMs) this.#set(true);
    this.#watchDeadline();
  }

  /** Whatever hangs, the end of leading is told in time. */
  #watchDeadline(): void {
    clearTimeout(this.#deadline);
    if (!this.#isLeader) return;
    const leftMs = this.#renewedAtMs + this.#renewMs - performance.now();
    if (leftMs > 0) {
      this.#deadline = setTimeout(() => this.#watchDeadline(), leftMs);
      return;
    }
    this.#options.log.error('leader election: lease lost, it could not be renewed in time');
    this.#set(false);
  }

  async #read(): Promise<Lease | undefined> {
    try {
      return await this.#options.client.get<Lease>(this.#path(), {}, this.#limits());
    } catch (error) {
      if (error instanceof KubeApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  #write(lease: Lease | undefined, isOwn: boolean): Promise<Lease> {
    const { client, namespace, name, identity } = this.#options;
    const now = microTime(new Date());
    const before = lease?.spec;
    const body = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: lease?.metadata ?? { name, namespace },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(this.#leaseMs / 1000),
        acquireTime: isOwn ? (before?.acquireTime ?? now) : now,
        renewTime: now,
        leaseTransitions: (before?.leaseTransitions ?? 0) + (isOwn ? 0 : 1),
      },
    };
    if (lease !== undefined) return client.update<Lease>(this.#path(), body, this.#limits());
    return client.create<Lease>(resourcePath(RESOURCES.Lease, { namespace }), body, this.#limits());
  }

  /** The next turn is the next try. */
  #limits(): CallLimits {
    return { tries: 1, timeoutMs: this.#renewMs / 2 };
  }

  async #release(): Promise<void> {
    const lease = await this.#read();
    if (lease?.spec?.holderIdentity !== this.#options.identity) return;
    const spec = {
      ...lease.spec,
      holderIdentity: '',
      leaseDurationSeconds: 1,
      renewTime: microTime(new Date()),
    };
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: lease.metadata, spec };
    await this.#options.client.update(this.#path(), body, this.#limits());
    this.#holder = '';
  }

  #set(isLeader: boolean): void {
    if (this.#isLeader === isLeader) return;
    this.#isLeader = isLeader;
    if (!isLeader) clearTimeout(this.#deadline);
    const { log, name, onChange } = this.#options;
    log.info(isLeader ? 'leads' : 'leads no more', { lease: name });
    try {
      onChange(isLeader);
    } catch (error) {
      log.error('leader election: listener failed', { err: errorText(error) });
    }
  }

  #path(): string {
    const { namespace, name } = this.#options;
    return resourcePath(RESOURCES.Lease, { namespace, name });
  }
}

/** Kubernetes's MicroTime has six digits. */
function microTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}

function isConflict(error: unknown): boolean {
  return error instanceof KubeApiError && error.status === 409;
}
