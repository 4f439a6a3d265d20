// The status of a Fleet, as `kubectl get fleet -o yaml` shows it.

import { z } from 'zod';

const time = z.string();

const condition = z.strictObject({
  type: z.string().describe('Ready, TargetsAssigned, ConfigSynced, Resizing or Degraded.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  reason: z.string().describe('Why, in one word.'),
  message: z.string().describe('Why, for people.'),
  lastTransitionTime: time.describe('When the status last changed, RFC 3339.'),
  observedGeneration: z.int().describe('Generation of the Fleet that the condition is of.'),
});

const replicaStatus = z.strictObject({
  replica: z.int().describe('Number of the replica, from 0.'),
  state: z.string().describe('starting, replaying, ready, draining, stopping, or unknown.'),
  ready: z.boolean().describe('Whether it answers queries.'),
  version: z.string().describe('Of the assignment that it has applied.'),
});

const shardStatus = z.strictObject({
  shard: z.int().describe('Number of the shard, from 0.'),
  state: z
    .string()
    .describe('active, starting, or draining: scrapes nothing and keeps its data until it has expired.'),
  assigned: z.int().describe('Targets.'),
  headSeries: z.int().describe('Series in memory of the larger replica.'),
  replicas: z.array(replicaStatus).describe('The pods of the shard.'),
});

export const fleetStatusSchema = z.strictObject({
  observedGeneration: z.int().describe('Generation of the Fleet that the status is of.'),
  shards: z.int().describe('Shards of the epoch in force.'),
  replicas: z.int().describe('Replicas of each shard.'),
  selector: z.string().describe('Selects the scraper pods.'),
  targets: z.int().describe('Targets assigned; one that moves counts twice.'),
  headSeries: z.int().describe('Series in memory, of the larger replica of each shard.'),
  epoch: z.int().describe('Id of the epoch in force.'),
  resize: z
    .strictObject({
      phase: z.string().describe('stable, starting, adding or switching.'),
      waitingFor: z.string().describe('What the phase waits for.'),
      sinceTime: time.describe('Since when, RFC 3339.'),
    })
    .describe('How far a change of the number of shards is.'),
  conditions: z.array(condition).describe('What holds of the Fleet, and why.'),
  shardStatuses: z.array(shardStatus).describe('Each shard, those that drain included.'),
});

export type FleetObjectStatus = z.output<typeof fleetStatusSchema>;
