// A resize, step by step: make before break. Pure: the driver persists each state before it acts on it, so that a crash at any
// point resumes.
//
//   stable → starting: workloads of the new shards come up; nothing has moved
//          → adding: moved targets are with their new owner too; the old owner scrapes on
//          → switching: the new epoch is written, in force from an aligned instant; both owners scrape until it has passed
//            and every reader of the topology has read it
//          → stable: the old owner has dropped them, without stale markers
//
// Invariant: a slot is left by an owner only after the epoch that names another one, confirmed, is in force.
// A step that cannot be taken waits, and says for what.

import type { Epoch } from '@flotilla/wire';
import { firstTable, movedSlots, planTable, shardsOf } from './slot-table.ts';

export type ResizePhase = 'stable' | 'starting' | 'adding' | 'switching';

/** What the operator persists. */
export interface TopologyState {
  readonly version: 1;
  /** Ascending; the last one is in force, or will be when `phase` is switching. */
  readonly epochs: readonly Epoch[];
  readonly phase: ResizePhase;
  /** When the phase began. */
  readonly phaseSinceMs: number;
  /** The table that is being moved to; in starting and adding only. */
  readonly pending?: { readonly shards: number; readonly table: readonly number[] };
}

export interface Observed {
  readonly desiredShards: number;
  /** Number of zones whose targets have shards of their own; 1 for none. */
  readonly zones: number;
  /** True when every replica of the shard sends heartbeats and is ready. */
  readonly isReady: (shard: number) => boolean;
  /** Replicas that have not tried a moved target since `sinceMs`, in words; empty when all is confirmed. */
  readonly unconfirmed: (
    table: readonly number[],
    slots: readonly number[],
    sinceMs: number,
  ) => readonly string[];
  /** Largest scrape interval of any target. */
  readonly intervalMaxMs: number;
  /** Readers of the topology that run and have not read the last epoch. */
  readonly readersBehind: readonly string[];
}

export interface Step {
  readonly state: TopologyState;
  /** What the present phase waits for; '' when it waits for nothing. */
  readonly waitingFor: string;
}

/** Time for queriers and scrapers to learn of an epoch before it begins. */
const noticeMs = 2000;

export function firstState(shards: number, nowMs: number, zones = 1): TopologyState {
  const epoch: Epoch = { id: 1, sinceMs: nowMs, shards, table: firstTable(shards, zones) };
  return { version: 1, epochs: [epoch], phase: 'stable', phaseSinceMs: nowMs };
}

/** The table that is in force until a resize has switched. */
export function activeTable({ epochs, phase }: TopologyState): readonly number[] {
  return (phase === 'switching' ? epochs.at(-2)! : epochs.at(-1)!).table;
}

/** The table that is being moved to; the active one when nothing moves. */
export function nextTable(state: TopologyState): readonly number[] {
  if (state.phase === 'adding') return state.pending!.table;
  return state.epochs.at(-1)!.table;
}

/** Shards that scrape a slot now: one, or old and new owner while it moves. */
export function ownersOf(state: TopologyState, slot: number): number[] {
  const [active, next] = [activeTable(state)[slot]!, nextTable(state)[slot]!];
  return active === next ? [active] : [active, next];
}

/** Takes at most one step. Returns the same state object when nothing changes. */
export function stepResize(state: TopologyState, observed: Observed, nowMs: number): Step {
  switch (state.phase) {
    case 'stable':
      return stepStable(state, observed, nowMs);
    case 'starting':
      return stepStarting(state, observed, nowMs);
    case 'adding':
      return stepAdding(state, observed, nowMs);
    case 'switching':
      return stepSwitching(state, observed, nowMs);
  }
}

function stepStable(state: TopologyState, { desiredShards, zones }: Observed, nowMs: number): Step {
  const current = state.epochs.at(-1)!;
  if (current.shards === desiredShards) return { state, waitingFor: '' };
  const pending = { shards: desiredShards, table: planTable(current.table, desiredShards, zones) };
  return { state: enter(state, 'starting', nowMs, { pending }), waitingFor: '' };
}

function stepStarting(state: TopologyState, observed: Observed, nowMs: number): Step {
  const pending = state.pending!;
  if (observed.desiredShards !== pending.shards)
    return { state: enter(state, 'stable', nowMs), waitingFor: '' };
  const gaining = movedSlots(activeTable(state), pending.table).map((slot) => pending.table[slot]!);
  const notReady = shardsOf(gaining).filter((shard) => !observed.isReady(shard));
  if (notReady.length > 0)
    return { state, waitingFor: `all replicas of shard ${notReady.join(', ')} to be ready` };
  return { state: enter(state, 'adding', nowMs, { pending }), waitingFor: '' };
}

function stepAdding(state: TopologyState, observed: Observed, nowMs: number): Step {
  const { shards, table } = state.pending!;
  if (observed.desiredShards !== shards) return { state: enter(state, 'stable', nowMs), waitingFor: '' };
  const missing = observed.unconfirmed(table, movedSlots(activeTable(state), table), state.phaseSinceMs);
  if (missing.length > 0)
    return { state, waitingFor: `new owners to scrape: ${missing.slice(0, 5).join(', ')}` };
  const sinceMs = Math.ceil((nowMs + noticeMs) / observed.intervalMaxMs) * observed.intervalMaxMs;
  const epoch: Epoch = { id: state.epochs.at(-1)!.id + 1, sinceMs, shards, table };
  return { state: { ...enter(state, 'switching', nowMs), epochs: [...state.epochs, epoch] }, waitingFor: '' };
}

function stepSwitching(
  state: TopologyState,
  { intervalMaxMs, readersBehind }: Observed,
  nowMs: number,
): Step {
  const { id, sinceMs } = state.epochs.at(-1)!;
  if (nowMs < sinceMs + intervalMaxMs)
    return { state, waitingFor: `epoch ${id} to be in force for an interval` };
  if (readersBehind.length > 0)
    return { state, waitingFor: `epoch ${id} to be read by ${readersBehind.slice(0, 5).join(', ')}` };
  return { state: enter(state, 'stable', nowMs), waitingFor: '' };
}

function enter(
  { epochs }: TopologyState,
  phase: ResizePhase,
  nowMs: number,
  rest: Pick<TopologyState, 'pending'> = {},
): TopologyState {
  return { version: 1, epochs, phase, phaseSinceMs: nowMs, ...rest };
}

/** What the phase does, for an event. */
export function describePhase(state: TopologyState): string {
  const { phase, epochs, pending } = state;
  const { id, shards, table } = epochs.at(-1)!;
  switch (phase) {
    case 'starting':
      return `starting: the new shards of ${shards} → ${pending!.shards} come up`;
    case 'adding':
      return `adding: ${movedSlots(table, pending!.table).length} of ${table.length} slots move, scraped by old and new owners; ${shards} → ${pending!.shards} shards`;
    case 'switching':
      return `switching: epoch ${id} with ${shards} shards takes over; old owners let go when every querier has read it`;
    case 'stable':
      return `stable: epoch ${id} with ${shards} shard${shards === 1 ? '' : 's'}`;
  }
}

/** Drops epochs that ended before anything that retention still keeps. */
export function pruneEpochs(state: TopologyState, oldestMs: number): TopologyState {
  const kept = state.epochs.filter((_, index) => (state.epochs[index + 1]?.sinceMs ?? Infinity) > oldestMs);
  return kept.length === state.epochs.length ? state : { ...state, epochs: kept };
}

/** Every shard that must run: those that scrape, those that are about to, and those that drain. */
export function shardsToRun(state: TopologyState): number[] {
  const tables = [
    ...state.epochs.map(({ table }) => table),
    ...(state.pending === undefined ? [] : [state.pending.table]),
  ];
  return shardsOf(tables.flatMap(shardsOf));
}
