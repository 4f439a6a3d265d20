// Drives the topology: the leader steps it and saves before anyone acts on it, the others follow what was saved.

import type { FleetSpec } from '../discovery/fleet-spec.ts';
import { parseDuration } from '@flotilla/model';
import { firstState, pruneEpochs, stepResize } from './resize.ts';
import type { Observed, TopologyState } from './resize.ts';
import type { TopologyStore } from './topology-store.ts';

/** How old a follower's picture may be. */
const followMs = 1000;

export class TopologyDriver {
  readonly #store: TopologyStore;
  #state: TopologyState | undefined;
  #isLoaded = false;
  #followedMs = -Infinity;
  #waitingFor = '';

  constructor(store: TopologyStore) {
    this.#store = store;
  }

  /** undefined until a leader has saved the first one. */
  get state(): TopologyState | undefined {
    return this.#state;
  }

  /** What the present phase waits for; '' when it waits for nothing, and with followers. */
  get waitingFor(): string {
    return this.#waitingFor;
  }

  /** Has the next step begin with what is saved: after a change of leadership, and after a failed save. */
  reload(): void {
    this.#isLoaded = false;
    this.#followedMs = -Infinity;
  }

  /** Takes at most one step; true when the state is another one now. A step that cannot be saved is not taken. */
  async step(
    fleet: FleetSpec,
    observe: (state: TopologyState) => Promise<Observed>,
    nowMs: number,
  ): Promise<boolean> {
    if (!this.#isLoaded) this.#state = await this.#store.load();
    this.#isLoaded = true;
    const before = this.#state;
    const start =
      before ?? firstState(fleet.shards, nowMs, fleet.zones?.local === true ? fleet.zones.names.length : 1);
    const { state, waitingFor } = stepResize(start, await observe(start), nowMs);
    const next = pruneEpochs(state, nowMs - parseDuration(fleet.retention));
    this.#waitingFor = waitingFor;
    if (next === before) return false;
    try {
      await this.#store.save(next);
    } catch (error) {
      this.reload();
      throw error;
    }
    this.#state = next;
    return true;
  }

  /** Takes over what the leader has saved. */
  async follow(nowMs: number): Promise<void> {
    this.#waitingFor = '';
    if (nowMs - this.#followedMs < followMs) return;
    this.#followedMs = nowMs;
    const saved = await this.#store.load();
    if (JSON.stringify(saved) !== JSON.stringify(this.#state)) this.#state = saved;
  }

  get store(): TopologyStore {
    return this.#store;
  }
}
