// What the operator says of the fleet: conditions, shards, refused manifests, events. Contract of GET /api/v1/status.

import type { Epoch } from '@flotilla/wire';
import type { Heartbeats } from '../assignment/heartbeats.ts';
import type { AssignmentBook } from '../assignment/assignment-book.ts';
import type { Problem } from '../discovery/findings.ts';
import { nextTable, shardsToRun } from '../topology/resize.ts';
import type { TopologyState } from '../topology/resize.ts';
import { shardsOf } from '../topology/slot-table.ts';
import type { Readiness } from '../workloads/workloads.ts';

/** Kubernetes's condition. */
export interface Condition {
  readonly type: 'Ready' | 'TargetsAssigned' | 'ConfigSynced' | 'Resizing' | 'Degraded';
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
}

export interface ShardStatus {
  readonly shard: number;
  readonly state: 'active' | 'draining' | 'starting';
  readonly assigned: number;
  /** Largest of its replicas. */
  readonly headSeries: number;
  readonly replicas: readonly {
    readonly replica: number;
    readonly state: string;
    readonly version: string;
    readonly ageMs: number;
  }[];
}

export interface FleetStatus {
  readonly fleet: string;
  readonly conditions: readonly Condition[];
  readonly shards: readonly ShardStatus[];
  readonly resize: { readonly phase: string; readonly sinceMs: number; readonly waitingFor: string };
  readonly epochs: readonly Omit<Epoch, 'table'>[];
  readonly refused: readonly Problem[];
  readonly events: readonly FleetEvent[];
}

export interface FleetEvent {
  readonly timeMs: number;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly object: string;
  readonly message: string;
}

const eventsMax = 500;

/** The last events, newest first. */
export class EventLog {
  readonly #events: FleetEvent[] = [];

  add(event: Omit<FleetEvent, 'timeMs'>): void {
    this.#events.unshift({ timeMs: Date.now(), ...event });
    this.#events.length = Math.min(this.#events.length, eventsMax);
  }

  list(): readonly FleetEvent[] {
    return this.#events;
  }
}

export interface StatusInput {
  readonly fleet: string;
  readonly replicas: number;
  readonly state: TopologyState;
  readonly waitingFor: string;
  /** What the shrink guard holds back; '' when nothing. */
  readonly holding: string;
  readonly synced: boolean;
  readonly problems: readonly Problem[];
  readonly readiness: ReadonlyMap<string, Readiness>;
  readonly book: AssignmentBook;
  readonly heartbeats: Heartbeats;
  readonly nowMs: number;
}

/** Keeps when each condition last changed its status. */
export class Conditions {
  readonly #last = new Map<string, Condition>();

  update(facts: readonly Omit<Condition, 'lastTransitionTime'>[], nowMs: number): Condition[] {
    return facts.map((current) => {
      const last = this.#last.get(current.type);
      const lastTransitionTime =
        last?.status === current.status ? last.lastTransitionTime : new Date(nowMs).toISOString();
      const condition = { ...current, lastTransitionTime };
      this.#last.set(current.type, condition);
      return condition;
    });
  }
}

export function shardStatuses(input: StatusInput): ShardStatus[] {
  const active = new Set(shardsOf(nextTable(input.state)));
  const current = new Set(shardsOf(input.state.epochs.at(-1)!.table));
  return shardsToRun(input.state).map((shard) => {
    const heard = replicaNumbers(input).map((replica) => ({
      replica,
      heard: input.heartbeats.get(shard, replica),
    }));
    return {
      shard,
      state:
        current.has(shard) || active.has(shard)
          ? 'active'
          : input.state.pending?.table.includes(shard)
            ? 'starting'
            : 'draining',
      assigned: input.book.current(shard)?.targets.length ?? 0,
      headSeries: Math.max(0, ...heard.map((one) => one.heard?.heartbeat.headSeries ?? 0)),
      replicas: heard.map((one) => ({
        replica: one.replica,
        state: one.heard?.heartbeat.state ?? 'unknown',
        version: one.heard?.heartbeat.version ?? '',
        ageMs: one.heard === undefined ? -1 : input.nowMs - one.heard.receivedMs,
      })),
    };
  });
}

function replicaNumbers({ replicas }: StatusInput): number[] {
  return Array.from({ length: replicas }, (_, replica) => replica);
}

/** The facts behind the conditions. */
export function conditionFacts(input: StatusInput): Omit<Condition, 'lastTransitionTime'>[] {
  const { state, synced, problems, waitingFor, holding, readiness, heartbeats, nowMs, book } = input;
  const replicas = shardsToRun(state).flatMap((shard) =>
    replicaNumbers(input).map((replica) => ({ shard, replica })),
  );
  const silent = replicas.filter(({ shard, replica }) => !heartbeats.isReady(shard, replica, nowMs));
  const behind = replicas.filter(
    ({ shard, replica }) =>
      heartbeats.get(shard, replica)?.heartbeat.version !== book.current(shard)?.version,
  );
  const name = ({ shard, replica }: { shard: number; replica: number }): string =>
    `scraper-${input.fleet}-${shard}-${replica}`;
  const notReady = [
    ...silent.map((one) => withReason(name(one), readiness)),
    ...[...readiness].filter(([, { ready }]) => !ready).map(([workload]) => withReason(workload, readiness)),
  ];
  const unassigned = holding === '' ? behind.map(name).join(', ') : holding;
  return [
    fact('Ready', notReady.length === 0, 'AllReplicasReady', 'ReplicasNotReady', listed(notReady)),
    fact(
      'TargetsAssigned',
      unassigned === '',
      'Applied',
      holding === '' ? 'NotYetApplied' : 'ShrinkHeld',
      unassigned,
    ),
    fact('ConfigSynced', synced, 'Synced', 'NotSynced', ''),
    fact('Resizing', state.phase !== 'stable', phaseReason(state.phase), 'Stable', waitingFor),
    fact(
      'Degraded',
      problems.length > 0,
      'ManifestsRefused',
      'NothingRefused',
      listed(
        problems.map(
          ({ kind, namespace, name: object, reason }) => `${kind} ${namespace}/${object}: ${reason}`,
        ),
      ),
    ),
  ];
}

const listedMax = 10;

/** Each once, and not more of them than one wants to read. */
function listed(texts: readonly string[]): string {
  const unique = [...new Set(texts)];
  const rest = unique.length - listedMax;
  return unique.slice(0, listedMax).join('; ') + (rest > 0 ? `; and ${rest} more` : '');
}

function withReason(workload: string, readiness: ReadonlyMap<string, Readiness>): string {
  const reason = readiness.get(workload)?.reason ?? '';
  return reason === '' ? workload : `${workload} (${reason})`;
}

function fact(
  type: Condition['type'],
  isTrue: boolean,
  trueReason: string,
  falseReason: string,
  message: string,
) {
  return {
    type,
    status: isTrue ? ('True' as const) : ('False' as const),
    reason: isTrue ? trueReason : falseReason,
    message,
  };
}

function phaseReason(phase: string): string {
  return phase.charAt(0).toUpperCase() + phase.slice(1);
}
