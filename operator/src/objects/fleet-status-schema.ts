// The status of a Fleet, as `kubectl get fleet -o yaml` shows it.

import { z } from 'zod';

const time = z.string().describe('RFC 3339.');

const condition = z.strictObject({
  type: z.string(),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string(),
  message: z.string(),
  lastTransitionTime: time,
  observedGeneration: z.int(),
});

const replicaStatus = z.strictObject({
  replica: z.int(),
  state: z.string().describe('starting, replaying, ready, draining, stopping, or unknown.'),
  ready: z.boolean(),
  version: z.string().describe('Of the assignment that it has applied.'),
});

const shardStatus = z.strictObject({
  shard: z.int(),
  state: z
    .string()
    .describe('active, starting, or draining: scrapes nothing and keeps its data until it has expired.'),
  assigned: z.int().describe('Targets.'),
  headSeries: z.int().describe('Series in memory of the larger replica.'),
  replicas: z.array(replicaStatus),
});

export const fleetStatusSchema = z.strictObject({
  observedGeneration: z.int(),
  shards: z.int().describe('Shards of the epoch in force.'),
  replicas: z.int().describe('Replicas of each shard.'),
  selector: z.string().describe('Selects the scraper pods.'),
  targets: z.int().describe('Targets assigned; one that moves counts twice.'),
  headSeries: z.int(),
  epoch: z.int().describe('Id of the epoch in force.'),
  resize: z.strictObject({
    phase: z.string().describe('stable, starting, adding or switching.'),
    waitingFor: z.string().describe('What the phase waits for.'),
    sinceTime: time,
  }),
  conditions: z.array(condition),
  shardStatuses: z.array(shardStatus),
});

export type FleetObjectStatus = z.output<typeof fleetStatusSchema>;
