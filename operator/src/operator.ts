// The operator's loop: reads what is wanted and what is, plans, acts, publishes. Level-based: it runs after every change and
// every half second, remembers only the topology, and is safe to run twice.
//
// Every operator assigns, from the same objects and the same saved topology to the same bytes. Only the leader steps the
// topology, runs workloads and reports.

import type { Logger } from '@flotilla/chassis';
import { errorText } from '@flotilla/chassis';
import type { ShardSettings, StoreAddress, Target, Topology } from '@flotilla/wire';
import { AssignmentBook } from './assignment/assignment-book.ts';
import { Heartbeats } from './assignment/heartbeats.ts';
import { receiverOf, shardSettings } from './assignment/shard-settings.ts';
import { identifyTargets } from './assignment/identify-targets.ts';
import type { IdentifiedTarget } from './assignment/identify-targets.ts';
import { ShrinkGuard } from './assignment/shrink-guard.ts';
import type { Discovery } from './discovery/discovery.ts';
import type { Problem, RuleFileText, ScrapePool } from './discovery/findings.ts';
import type { FleetSpec } from './discovery/fleet-spec.ts';
import { conditionFacts, Conditions, EventLog, shardStatuses } from './status/fleet-status.ts';
import type { FleetStatus, StatusInput } from './status/fleet-status.ts';
import type { Reporter } from './status/reporter.ts';
import type { Reader } from './topology/readers.ts';
import { describePhase, firstState, ownersOf, shardsToRun } from './topology/resize.ts';
import type { Observed, TopologyState } from './topology/resize.ts';
import { TopologyDriver } from './topology/topology-driver.ts';
import type { TopologyStore } from './topology/topology-store.ts';
import { planWorkloads } from './workloads/plan-workloads.ts';
import { storeKindOf } from './workloads/workloads.ts';
import type { Readiness, WorkloadAddress, Workloads, WorkloadSpec } from './workloads/workloads.ts';

export interface OperatorOptions {
  readonly discovery: Discovery;
  readonly workloads: (fleet: FleetSpec) => Workloads;
  readonly topologyStore: (fleet: FleetSpec) => TopologyStore;
  /** Where scrapers, rulers and queriers reach an operator. */
  readonly operatorUrl: () => string;
  readonly isLeader: () => boolean;
  /** Readers of the topology that have not read an epoch, in words. */
  readonly readersBehind: (readers: readonly Reader[], epoch: number) => Promise<readonly string[]>;
  readonly reporter: Reporter;
  readonly log: Logger;
  /** Called with the shards whose assignment changed. */
  readonly onAssigned: (shards: readonly number[]) => void;
}

const periodMs = 500;
const intervalDefaultMs = 1000;

/** What there is once a Fleet has been seen. */
interface Fleet {
  readonly name: string;
  readonly topology: TopologyDriver;
  readonly workloads: Workloads;
}

export class Operator {
  readonly book = new AssignmentBook();
  readonly heartbeats = new Heartbeats();
  readonly events = new EventLog();
  readonly #options: OperatorOptions;
  readonly #conditions = new Conditions();
  readonly #guard = new ShrinkGuard();
  #spec: FleetSpec | undefined;
  #fleet: Fleet | undefined;
  #wasLeader = false;
  #assigned: { pools: readonly ScrapePool[]; state: TopologyState; settings: string } | undefined;
  #targets: readonly IdentifiedTarget[] = [];
  #places: ReadonlyMap<string, Target> = new Map();
  #knownProblems = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(options: OperatorOptions) {
    this.#options = options;
  }

  /** Whether it writes: there is one leader, and any may serve. */
  get isLeader(): boolean {
    return this.#options.isLeader();
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
    await this.#fleet?.workloads.stop();
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

  /** Without a whole picture, and without a Fleet, everything stays as it is. */
  async #reconcile(): Promise<void> {
    const { discovery, isLeader } = this.#options;
    if (!discovery.synced()) return;
    this.#reportProblems(discovery.problems());
    const spec = discovery.fleet();
    if (spec === undefined) return;
    const fleet = this.#adopt(spec);
    const leads = isLeader();
    if (leads !== this.#wasLeader) fleet.topology.reload();
    this.#wasLeader = leads;
    if (leads) await this.#lead(spec, fleet);
    else await fleet.topology.follow(Date.now());
    if (fleet.topology.state === undefined) return;
    this.#assign(spec, fleet.workloads, fleet.topology.state);
    if (leads) await this.#publish(spec, fleet, fleet.topology.state);
  }

  /** A Fleet of another name is another fleet: this one's shards have nothing of it. */
  #adopt(spec: FleetSpec): Fleet {
    this.#spec = spec;
    if (this.#fleet?.name !== spec.name) {
      const { topologyStore, workloads } = this.#options;
      void this.#fleet?.workloads.stop();
      const topology = new TopologyDriver(topologyStore(spec));
      this.#fleet = { name: spec.name, topology, workloads: workloads(spec) };
    }
    return this.#fleet;
  }

  async #lead(spec: FleetSpec, { topology, workloads }: Fleet): Promise<void> {
    const phaseBefore = topology.state?.phase;
    const nowMs = Date.now();
    const observe = (state: TopologyState): Promise<Observed> => this.#observe(spec, state, workloads, nowMs);
    if (!(await topology.step(spec, observe, nowMs))) return;
    if (topology.state!.phase !== phaseBefore) this.#reportPhase(topology.state!);
    this.#again = true;
  }

  async #observe(
    fleet: FleetSpec,
    { phase, epochs }: TopologyState,
    workloads: Workloads,
    nowMs: number,
  ): Promise<Observed> {
    const replicas = Array.from({ length: fleet.replicas }, (_, replica) => replica);
    return {
      desiredShards: fleet.shards,
      zones: zonesOf(fleet).length || 1,
      isReady: (shard) => replicas.every((replica) => this.heartbeats.isReady(shard, replica, nowMs)),
      unconfirmed: (table, slots, sinceMs) => this.#unconfirmed(replicas, table, slots, sinceMs),
      intervalMaxMs: Math.max(intervalDefaultMs, ...this.#targets.map(({ target }) => target.intervalMs)),
      readersBehind:
        phase === 'switching'
          ? await this.#options.readersBehind(workloads.readers(), epochs.at(-1)!.id)
          : [],
    };
  }

  #unconfirmed(
    replicas: readonly number[],
    table: readonly number[],
    slots: readonly number[],
    sinceMs: number,
  ): string[] {
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
  }

  /** Assignments follow pools and owners; a shard whose targets are the same keeps its version. */
  #assign(spec: FleetSpec, workloads: Workloads, state: TopologyState): void {
    const pools = this.#guard.check(this.#options.discovery.pools(), Date.now());
    const shards = shardsToRun(state);
    const settingsOf = this.#settings(spec, workloads, state);
    const settings = JSON.stringify(settingsOf(0));
    const before = this.#assigned;
    if (pools === before?.pools && state === before.state && settings === before.settings) return;
    if (pools !== this.#assigned?.pools) {
      this.#targets = identifyTargets(pools, zonesOf(this.#spec!));
      this.#places = new Map(
        this.#targets.map(({ target, source }) => [`${source.url}\n${source.labels.key}`, target]),
      );
    }
    this.#assigned = { pools, state, settings };
    const byShard = new Map<number, Target[]>(shards.map((shard) => [shard, []]));
    for (const { target } of this.#targets)
      for (const shard of shardsOfTarget(state, target)) byShard.get(shard)?.push(target);
    const handedOff = (shard: number): number[] => this.#handedOff(state, shard, byShard.get(shard) ?? []);
    const jobs = pools.map(({ job }) => job);
    const changed = this.book.update(shards, jobs, (shard) => byShard.get(shard)!, handedOff, settingsOf);
    if (changed.length > 0) this.#options.onAssigned(changed);
  }

  /** What each shard does beside scraping. */
  #settings(fleet: FleetSpec, workloads: Workloads, state: TopologyState): (shard: number) => ShardSettings {
    if (!fleet.receiver) return (shard) => shardSettings(fleet, shard, undefined);
    const specs = planWorkloads(fleet, shardsToRun(state)).filter(({ binary }) => binary === 'scraper');
    const addresses = workloads.addresses(fleet, specs);
    const urlsOf = (shard: number): (string | undefined)[] =>
      specs.flatMap((one, i) => (one.shard === shard ? [addresses[i]!.url || undefined] : []));
    const receiver = receiverOf(activeShards(state), urlsOf, (slot) => ownersOf(state, slot));
    return (shard) => shardSettings(fleet, shard, receiver);
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

  async #publish(fleet: FleetSpec, { topology, workloads }: Fleet, state: TopologyState): Promise<void> {
    const specs = planWorkloads(fleet, shardsToRun(state));
    const addresses = await workloads.apply(fleet, specs);
    await topology.store.publish(this.#topology(fleet, state, specs, addresses));
    await workloads.tellReaders(`epoch-${state.epochs.at(-1)!.id}`);
    await this.#options.reporter.report(fleet, this.status(), this.#options.discovery.selected());
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
      operatorUrl: this.#options.operatorUrl(),
    };
  }

  /** What rulers evaluate; undefined before everything has been read. */
  ruleFiles(): readonly RuleFileText[] | undefined {
    const { discovery } = this.#options;
    return discovery.synced() && this.#fleet !== undefined ? discovery.ruleFiles() : undefined;
  }

  status(): FleetStatus {
    const input = this.#statusInput();
    const { state, nowMs } = input;
    return {
      fleet: input.fleet,
      conditions: this.#conditions.update(conditionFacts(input), nowMs),
      shards: shardStatuses(input),
      resize: { phase: state.phase, sinceMs: state.phaseSinceMs, waitingFor: input.waitingFor },
      epochs: state.epochs.map(({ id, sinceMs, shards }) => ({ id, sinceMs, shards })),
      refused: input.problems,
      events: this.events.list(),
    };
  }

  /** Shard and replicas that have a target, as explain shows them. */
  placeOf(url: string, labelsKey: string): { target: Target; shards: readonly number[] } | undefined {
    const target = this.#places.get(`${url}\n${labelsKey}`);
    const state = this.#fleet?.topology.state;
    if (target === undefined || state === undefined) return undefined;
    return { target, shards: shardsOfTarget(state, target) };
  }

  get replicas(): number {
    return this.#spec?.replicas ?? 0;
  }

  #statusInput(): StatusInput {
    const { discovery } = this.#options;
    const nowMs = Date.now();
    return {
      fleet: this.fleetName,
      replicas: this.replicas,
      state: this.#fleet?.topology.state ?? firstState(1, nowMs),
      waitingFor: this.#fleet?.topology.waitingFor ?? '',
      holding: this.#guard.holding,
      synced: discovery.synced(),
      problems: discovery.problems(),
      readiness: this.#fleet?.workloads.readiness() ?? noReadiness,
      book: this.book,
      heartbeats: this.heartbeats,
      nowMs,
    };
  }

  #reportPhase(state: TopologyState): void {
    const { phase, epochs } = state;
    const { id, shards } = epochs.at(-1)!;
    const message = describePhase(state);
    this.#options.log.info('topology', { phase, epoch: id, shards });
    this.events.add({ type: 'Normal', reason: 'Resize', object: `Fleet/${this.fleetName}`, message });
    this.#options.reporter.phaseChanged(this.#spec!, message);
  }

  /** One line and one event for each manifest that is newly refused. */
  #reportProblems(problems: readonly Problem[]): void {
    const known = new Set<string>();
    for (const problem of problems) {
      const { file, line, kind, namespace, name, reason } = problem;
      const place = line > 0 ? `${file}:${line}` : file;
      const key = `${place} ${kind} ${namespace}/${name} ${reason}`;
      known.add(key);
      if (this.#knownProblems.has(key)) continue;
      this.#options.log.warn('manifest refused', { file, line, kind, namespace, name, reason });
      const message = place === '' ? reason : `${place}: ${reason}`;
      this.events.add({
        type: 'Warning',
        reason: 'InvalidConfiguration',
        object: `${kind}/${namespace}/${name}`,
        message,
      });
      if (this.#options.isLeader()) this.#options.reporter.refused(problem);
    }
    this.#knownProblems = known;
  }
}

/** Zones whose targets have shards of their own; none unless the Fleet asks for it. */
function zonesOf({ zones }: FleetSpec): readonly string[] {
  return zones?.local === true ? zones.names : [];
}

const noReadiness: ReadonlyMap<string, Readiness> = new Map();

/** Shards that scrape a target: all active ones when it asks not to be sharded. */
function shardsOfTarget(state: TopologyState, { slot }: Target): readonly number[] {
  return slot < 0 ? activeShards(state) : ownersOf(state, slot);
}

/** Shards that scrape: those of the table in force and of the one that is being moved to. */
function activeShards(state: TopologyState): number[] {
  const shards = new Set<number>();
  for (let slot = 0; slot < state.epochs[0]!.table.length; slot++)
    for (const shard of ownersOf(state, slot)) shards.add(shard);
  return [...shards].toSorted((a, b) => a - b);
}
