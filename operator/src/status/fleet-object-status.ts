// The operator's status in the form of the Fleet's `status`.

import type { FleetSpec } from '../discovery/fleet-spec.ts';
import type { FleetObjectStatus } from '../objects/fleet-status-schema.ts';
import type { FleetStatus } from './fleet-status.ts';

export function fleetObjectStatus(fleet: FleetSpec, status: FleetStatus): FleetObjectStatus {
  const { conditions, shards, resize, epochs } = status;
  const epoch = epochs.at(-1)!;
  return {
    observedGeneration: fleet.generation,
    shards: epoch.shards,
    replicas: fleet.replicas,
    selector: `app.kubernetes.io/component=scraper,flotilla.dev/fleet=${fleet.name}`,
    targets: shards.reduce((sum, { assigned }) => sum + assigned, 0),
    headSeries: shards.reduce((sum, { headSeries }) => sum + headSeries, 0),
    epoch: epoch.id,
    resize: {
      phase: resize.phase,
      waitingFor: resize.waitingFor,
      sinceTime: secondsTime(resize.sinceMs),
    },
    conditions: conditions.map((condition) => ({
      ...condition,
      lastTransitionTime: condition.lastTransitionTime.replace(/\.\d+Z$/, 'Z'),
      observedGeneration: fleet.generation,
    })),
    shardStatuses: shards.map(({ shard, state, assigned, headSeries, replicas }) => ({
      shard,
      state,
      assigned,
      headSeries,
      replicas: replicas.map((one) => ({
        replica: one.replica,
        state: one.state,
        ready: one.state === 'ready' || one.state === 'draining',
        version: one.version,
      })),
    })),
  };
}

function secondsTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
