import * as z from 'zod';
import { flag, name, namespace, time } from '../schema-parts.ts';

export const discoverQuery = z.strictObject({ wait: flag.optional().describe('answer when it is done') });

export const discoverBody = z
  .strictObject({
    namespaces: z.array(namespace).max(100).optional().describe('only backends of these namespaces'),
    serviceTypes: z.array(name).max(100).optional().describe('only backends of these types'),
    force: z
      .boolean()
      .optional()
      .describe('true, also without it: ask healthy backends too; false: only those that are not healthy'),
  })
  .describe('which backends are asked anew; all without');

export type DiscoverRequest = z.infer<typeof discoverBody>;

export const jobParams = z.strictObject({ id: z.string().describe('jobId of the answer to POST /discover') });

export const jobAnswer = z.object({
  jobId: z.uuid(),
  status: z.enum(['running', 'completed', 'failed']),
  message: z.string(),
  startedAt: time,
  completedAt: time.nullable(),
  estimatedCompletion: time.nullable(),
  services: z.int().nullable().describe('how many backends there are then; null until it is completed'),
  asked: z.int().nullable().describe('how many known backends were asked anew'),
  healthy: z.int().nullable().describe('how many of those that the request is about are healthy then'),
  unhealthy: z.int().nullable().describe('how many of them are unhealthy'),
  unknown: z
    .int()
    .nullable()
    .describe('of how many of them nothing is known, as while no backend at all can be reached'),
  changed: z.int().nullable().describe('of how many of them the health is another than before'),
});
