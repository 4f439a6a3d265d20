// The supervisor of a local fleet, to processes what the kubelet is to pods: runs what is desired, publishes what runs.
//
// Level-based: apply() is given all desired parts and makes reality match. A part whose command changed is restarted, one at a
// time and the next only when the one before is ready again, so that a pair is never down together.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LOCAL_PATHS } from '@flotilla/wire';
import { writeFileAtomic } from '@flotilla/chassis';
import { Part } from './part.ts';
import type { PartEvents, PartSpec } from './part.ts';
import { podManifest } from './pod-manifest.ts';

export interface SupervisorEvents {
  ready(spec: PartSpec, afterMs: number): void;
  died(spec: PartSpec, reason: string, restartInMs: number): void;
}

const readyTimeoutMs = 30_000;

export class Supervisor {
  readonly #data: string;
  readonly #events: PartEvents;
  readonly #parts = new Map<string, Part>();
  #desired: readonly PartSpec[] = [];
  #applying: Promise<void> | undefined;
  #publishing: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(data: string, events: SupervisorEvents) {
    this.#data = data;
    this.#events = {
      changed: (part) => this.#publish(part),
      ready: (part, afterMs) => events.ready(part.spec, afterMs),
      died: (part, reason, restartInMs) => events.died(part.spec, reason, restartInMs),
    };
  }

  /** Makes the running parts those of `desired`. Calls while it works are folded into one that follows. */
  apply(desired: readonly PartSpec[]): Promise<void> {
    this.#desired = desired;
    this.#applying ??= this.#converge().finally(() => {
      this.#applying = undefined;
    });
    return this.#applying;
  }

  get isReady(): boolean {
    return this.#parts.size > 0 && [...this.#parts.values()].every((part) => part.isReady);
  }

  /** Stops all parts, the last started first class by class; nothing runs when it resolves. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#parts.values()].map((part) => part.stop()));
    await this.#publishing;
    for (const name of this.#parts.keys()) this.#removePod(name);
  }

  async #converge(): Promise<void> {
    let applied: readonly PartSpec[] | undefined;
    while (applied !== this.#desired && !this.#stopped) {
      applied = this.#desired;
      await this.#removeUndesired(applied);
      for (const spec of applied) if (!this.#parts.has(spec.name)) this.#run(spec);
      for (const spec of applied) await this.#restartIfChanged(spec);
    }
  }

  async #removeUndesired(desired: readonly PartSpec[]): Promise<void> {
    const names = new Set(desired.map(({ name }) => name));
    for (const [name, part] of this.#parts) {
      if (names.has(name)) continue;
      await part.stop();
      this.#parts.delete(name);
      this.#removePod(name);
    }
  }

  async #restartIfChanged(spec: PartSpec): Promise<void> {
    const part = this.#parts.get(spec.name);
    if (part === undefined || this.#stopped || isSame(part.spec, spec)) return;
    await part.stop();
    const fresh = this.#run(spec);
    const deadlineMs = Date.now() + readyTimeoutMs;
    while (!fresh.isReady && !this.#stopped && Date.now() < deadlineMs) await sleep(100);
  }

  #run(spec: PartSpec): Part {
    const part = new Part(spec, join(this.#data, LOCAL_PATHS.logs, `${spec.name}.log`), this.#events);
    this.#parts.set(spec.name, part);
    part.start();
    return part;
  }

  /** Pod manifests are written one after the other, each from the state at its turn. */
  #publish(part: Part): void {
    this.#publishing = this.#publishing.then(async () => {
      if (this.#parts.get(part.spec.name) !== part) return;
      await writeFileAtomic(this.#podPath(part.spec.name), podManifest(part.running()));
    });
  }

  #podPath(name: string): string {
    return join(this.#data, LOCAL_PATHS.pods, `${name}.yaml`);
  }

  #removePod(name: string): void {
    rmSync(this.#podPath(name), { force: true });
  }
}

function isSame(a: PartSpec, b: PartSpec): boolean {
  return JSON.stringify([a.command, a.url, a.labels]) === JSON.stringify([b.command, b.url, b.labels]);
}
