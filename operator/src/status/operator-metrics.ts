// The operator's own metrics.

import { collectFrom } from '@flotilla/chassis';
import type { Registry } from '@flotilla/chassis';
import type { Discovery } from '../discovery/discovery.ts';
import type { Operator } from '../operator.ts';

export function registerOperatorMetrics(registry: Registry, operator: Operator, discovery: Discovery): void {
  const gauge = (
    name: string,
    help: string,
    labels: readonly string[],
    collect: Parameters<typeof collectFrom>[5],
  ): void => collectFrom(registry, name, help, 'gauge', labels, collect);
  gauge('prometheus_sd_discovered_targets', 'Targets kept after relabeling.', ['config'], (emit) => {
    for (const { job, targets } of discovery.pools()) emit(targets.length, job.name);
  });
  gauge('flotilla_operator_targets_assigned', 'Targets assigned to a shard.', ['shard'], (emit) => {
    for (const { shard, assigned } of operator.status().shards) emit(assigned, `${shard}`);
  });
  gauge('flotilla_operator_refused_objects', 'Manifests that are refused now.', [], (emit) =>
    emit(discovery.problems().length),
  );
  gauge('flotilla_operator_leader', '1 for the one that writes.', [], (emit) =>
    emit(operator.isLeader ? 1 : 0),
  );
  gauge('flotilla_operator_synced', '1 when everything has been read.', [], (emit) =>
    emit(discovery.synced() ? 1 : 0),
  );
  gauge('flotilla_operator_resize_phase', '1 for the present phase.', ['phase'], (emit) =>
    emit(1, operator.status().resize.phase),
  );
  gauge(
    'flotilla_operator_heartbeat_age_seconds',
    'Time since the last heartbeat.',
    ['shard', 'replica'],
    (emit) => {
      for (const { shard, replicas } of operator.status().shards) {
        for (const { replica, ageMs } of replicas)
          if (ageMs >= 0) emit(ageMs / 1000, `${shard}`, `${replica}`);
      }
    },
  );
}
