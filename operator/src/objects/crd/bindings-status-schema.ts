// The status of the monitoring.coreos.com kinds, as the Prometheus operator has it, so that either can write it.

import { z } from 'zod';
import { listMap } from '../schema-parts.ts';

const text = z.string().min(1);

const condition = z.strictObject({
  type: z.enum(['Accepted']).meta({ minLength: 1 }).describe('What the condition is about.'),
  status: text.describe('True, False or Unknown.'),
  reason: z.string().optional().describe('Why, in one word.'),
  message: z.string().optional().describe('Why, for people.'),
  lastTransitionTime: z.string().meta({ format: 'date-time' }).describe('When the status last changed.'),
  observedGeneration: z.int().optional().describe('Generation of the object that the condition is of.'),
});

const binding = z.strictObject({
  group: z.enum(['monitoring.coreos.com']).describe('Group of the workload.'),
  resource: z
    .enum(['prometheuses', 'prometheusagents', 'thanosrulers', 'alertmanagers'])
    .describe('Kind of the workload, in its plural; prometheuses for a Fleet.'),
  name: text.describe('Name of the workload.'),
  namespace: text.describe('Namespace of the workload.'),
  conditions: listMap(condition, 'type').optional().describe('Whether the workload takes the object.'),
});

export const bindingsStatusSchema = z.strictObject({
  bindings: listMap(binding, 'group', 'resource', 'name', 'namespace')
    .optional()
    .describe('What each workload that selects the object makes of it.'),
});
