// The operator's loop: reads what is wanted and what is, plans, acts, publishes. Level-based: it runs after every change and
// every second, remembers only the topology, and is safe to run twice.

import type { Logger } from '@flotilla/chassis';
import { errorText, writeFileAtomic } from '@flotilla/chassis';
import { parseDuration } from '@flotilla/model';
import { LOCAL_PATHS } from '@flotilla/wire';
import type { StoreAddress, Target, Topology } from '@flotilla/wire';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AssignmentBook } from './assignment/assignment-book.ts';
import { Heartbeats } from './assignment/heartbeats.ts';
import { identifyTargets } from './assignment/identify-targets.ts';
import type { IdentifiedTarget } from './assignment/identify-targets.ts';
import type { Discovery, Problem, ScrapePool } from './discovery/discovery.ts';
import type { FleetSpec } from './discovery/fleet-spec.ts';
import { conditionFacts, Conditions, EventLog, shardStatuses } from './status/fleet-status.ts';
import type { FleetStatus, StatusInput } from './status/fleet-status.ts';
import { firstState, ownersOf, pruneEpochs, shardsToRun, stepResize } from './topology/resize.ts';
import type { Observed, TopologyState } from './topology/resize.ts';
import type { TopologyFolder } from './topology/topology-folder.ts';
import { planWorkloads } from './workloads/plan-workloads.ts';
import { storeKindOf } from './workloads/workloads.ts';
import type { WorkloadAddress, Workloads, WorkloadSpec } from './workloads/workloads.ts';

export interface OperatorOptions {
  readonly discovery: Discovery;
  readonly workloads: (fleet: string) => Workloads;
  readonly folder: TopologyFolder;
  readonly data: string;
  readonly operatorUrl: string;
  readonly log: Logger;
  /** Called with the shards whose assignment changed. */
  readonly onAssigned: (shards: readonly number[]) => void;
}

const periodMs = 500;
const intervalDefaultMs = 1000;

export class Operator {
  readonly book = new AssignmentBook();
  readonly heartbeats = new Heartbeats();
  readonly events = new EventLog();
  readonly #options: OperatorOptions;
  readonly #conditions = new Conditions();
  #fleet: FleetSpec | undefined;
  #workloads: Workloads | undefined;
  #state: TopologyState | undefined;
  #pools: readonly ScrapePool[] | undefined;
  #targets: readonly IdentifiedTarget[] = [];
  #waitingFor = '';
  #knownProblems = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(options: OperatorOptions) {
    this.#options = options;
    this.#state = options.folder.load();
  }

  get fleetName(): string {
    return this.#fleet?.name ?? '';
  }

  async start(): Promise<void> {
    const { discovery } = this.#options;
    await discovery.start();
    discovery.onChange(() => this.wake());
    this.#timer = setInterval(() => this.wake(), periodMs);
    this.wake();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
    await this.#options.discovery.stop();
  }

  /** Runs the loop once, or once more after the present run. */
  wake(): void {
    this.#again = true;
    this.#running ??= this.#runWhileWoken().finally(() => {
      this.#running = undefined;
    });
  }

  async #runWhileWoken(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        await this.#reconcile();
      } catch (error) {
        this.#options.log.error('reconcile failed, retrying', { err: errorText(error) });
        return;
      }
    }
  }

  async #reconcile(): Promise<void> {
    const { discovery } = this.#options;
    this.#reportProblems(discovery.problems());
    const fleet = discovery.fleet() ?? this.#fleet;
    if (fleet === undefined || !discovery.synced()) return;
    this.#fleet = fleet;
    await this.#stepTopology(fleet);
    this.#assign();
    await this.#publish(fleet);
  }

  /** The state is saved before anything acts on it. */
  async #stepTopology(fleet: FleetSpec): Promise<void> {
    const nowMs = Date.now();
    const before = this.#state;
    const start = before ?? firstState(fleet.shards, nowMs);
    const { state, waitingFor } = stepResize(start, this.#observe(fleet, nowMs), nowMs);
    const next = pruneEpochs(state, nowMs - parseDuration(fleet.retention));
    this.#waitingFor = waitingFor;
    if (next === before) return;
    await this.#options.folder.save(next);
    this.#state = next;
    if (next.phase !== before?.phase) this.#reportPhase(next);
    this.#again = true;
  }

  #observe(fleet: FleetSpec, nowMs: number): Observed {
    const replicas = Array.from({ length: fleet.replicas }, (_, replica) => replica);
    const unconfirmed = (table: readonly number[], slots: readonly number[], sinceMs: number): string[] => {
      const moved = new Set(slots);
      return this.#targets
        .filter(({ target }) => moved.has(target.slot))
        .flatMap(({ target }) => {
          const shard = table[target.slot]!;
          const missing = replicas.filter(
            (replica) => !this.heartbeats.hasTried(shard, replica, target.id, sinceMs),
          );
          return missing.map((replica) => `${target.url} on shard ${shard} replica ${replica}`);
        });
    };
    return {
      desiredShards: fleet.shards,
      isReady: (shard) => replicas.every((replica) => this.heartbeats.isReady(shard, replica, nowMs)),
      unconfirmed,
      intervalMaxMs: Math.max(intervalDefaultMs, ...this.#targets.map(({ target }) => target.intervalMs)),
    };
  }

  /** Assignments follow pools and owners; a shard whose targets are the same keeps its version. */
  #assign(): void {
    const state = this.#state!;
    const pools = this.#options.discovery.pools();
    if (pools !== this.#pools) {
      this.#pools = pools;
      this.#targets = identifyTargets(pools);
    }
    const shards = shardsToRun(state);
    const byShard = new Map<number, Target[]>(shards.map((shard) => [shard, []]));
    for (const { target } of this.#targets) {
      for (const shard of target.slot < 0 ? activeShards(state) : ownersOf(state, target.slot))
        byShard.get(shard)?.push(target);
    }
    const handedOff = (shard: number): number[] => this.#handedOff(state, shard, byShard.get(shard) ?? []);
    const changed = this.book.update(
      shards,
      pools.map(({ job }) => job),
      (shard) => byShard.get(shard)!,
      handedOff,
    );
    if (changed.length > 0) this.#options.onAssigned(changed);
  }

  /** Targets that others have now and that this shard had, or may have had, in an epoch that is still known. */
  #handedOff({ epochs }: TopologyState, shard: number, own: readonly Target[]): number[] {
    const ownIds = new Set(own.map(({ id }) => id));
    return this.#targets
      .filter(
        ({ target }) =>
          target.slot >= 0 &&
          !ownIds.has(target.id) &&
          epochs.some(({ table }) => table[target.slot] === shard),
      )
      .map(({ target }) => target.id);
  }

  async #publish(fleet: FleetSpec): Promise<void> {
    const { workloads, folder } = this.#options;
    const state = this.#state!;
    const specs = planWorkloads(fleet, shardsToRun(state));
    this.#workloads ??= workloads(fleet.name);
    const addresses = await this.#workloads.apply(specs);
    await folder.publish(this.#topology(fleet, state, specs, addresses));
    await this.#writeRules();
  }

  #topology(
    fleet: FleetSpec,
    { epochs }: TopologyState,
    specs: readonly WorkloadSpec[],
    addresses: readonly WorkloadAddress[],
  ): Topology {
    const stores = specs.flatMap(({ name, binary, shard, replica }, index): StoreAddress[] => {
      const kind = storeKindOf(binary);
      return kind === undefined ? [] : [{ name, kind, shard, replica, url: addresses[index]!.url }];
    });
    return {
      version: 1,
      fleet: fleet.name,
      replicas: fleet.replicas,
      epochs,
      stores,
      operatorUrl: this.#options.operatorUrl,
    };
  }

  /** Makes the rules folder hold exactly the rule files that are selected. */
  async #writeRules(): Promise<void> {
    const folder = join(this.#options.data, LOCAL_PATHS.rules);
    mkdirSync(folder, { recursive: true });
    const files = new Map(this.#options.discovery.ruleFiles().map(({ file, text }) => [file, text]));
    for (const name of readdirSync(folder)) {
      if (name.endsWith('.yaml') && !files.has(name)) rmSync(join(folder, name));
      else if (files.get(name) === readFileSync(join(folder, name), 'utf8')) files.delete(name);
    }
    for (const [file, text] of files) await writeFileAtomic(join(folder, file), text);
  }

  status(): FleetStatus {
    const input = this.#statusInput();
    const { state, nowMs } = input;
    return {
      fleet: input.fleet,
      conditions: this.#conditions.update(conditionFacts(input), nowMs),
      shards: shardStatuses(input),
      resize: { phase: state.phase, sinceMs: state.phaseSinceMs, waitingFor: this.#waitingFor },
      epochs: state.epochs.map(({ id, sinceMs, shards }) => ({ id, sinceMs, shards })),
      refused: input.problems,
      events: this.events.list(),
    };
  }

  /** Shard and replicas that have a target, as explain shows them. */
  placeOf(url: string, labelsKey: string): { target: Target; shards: readonly number[] } | undefined {
    const found = this.#targets.find(({ source }) => source.url === url && source.labels.key === labelsKey);
    if (found === undefined || this.#state === undefined) return undefined;
    const { target } = found;
    return {
      target,
      shards: target.slot < 0 ? activeShards(this.#state) : ownersOf(this.#state, target.slot),
    };
  }

  get replicas(): number {
    return this.#fleet?.replicas ?? 0;
  }

  #statusInput(): StatusInput {
    const { discovery } = this.#options;
    const nowMs = Date.now();
    return {
      fleet: this.fleetName,
      replicas: this.replicas,
      state: this.#state ?? firstState(1, nowMs),
      waitingFor: this.#waitingFor,
      synced: discovery.synced(),
      problems: discovery.problems(),
      book: this.book,
      heartbeats: this.heartbeats,
      nowMs,
    };
  }

  #reportPhase({ phase, epochs }: TopologyState): void {
    const { id, shards } = epochs.at(-1)!;
    const message = `phase ${phase}, epoch ${id} with ${shards} shards`;
    this.#options.log.info('topology', { phase, epoch: id, shards });
    this.events.add({ type: 'Normal', reason: 'Resize', object: `Fleet/${this.fleetName}`, message });
  }

  /** One line and one event for each manifest that is newly refused. */
  #reportProblems(problems: readonly Problem[]): void {
    const known = new Set<string>();
    for (const { file, line, kind, namespace, name, reason } of problems) {
      const place = line > 0 ? `${file}:${line}` : file;
      const key = `${place} ${kind} ${namespace}/${name} ${reason}`;
      known.add(key);
      if (this.#knownProblems.has(key)) continue;
      this.#options.log.warn('manifest refused', { file, line, kind, namespace, name, reason });
      this.events.add({
        type: 'Warning',
        reason: 'InvalidConfiguration',
        object: `${kind}/${namespace}/${name}`,
        message: `${place}: ${reason}`,
      });
    }
    this.#knownProblems = known;
  }
}

/** Shards that scrape: those of the table in force and of the one that is being moved to. */
function activeShards(state: TopologyState): number[] {
  const shards = new Set<number>();
  for (let slot = 0; slot < state.epochs[0]!.table.length; slot++)
    for (const shard of ownersOf(state, slot)) shards.add(shard);
  return [...shards].toSorted((a, b) => a - b);
}
