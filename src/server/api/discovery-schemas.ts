import * as z from 'zod';
import { flag, name, namespace, time } from '../schema-parts.ts';

export const discoverQuery = z.strictObject({
  wait: flag.optional().describe('respond when the job is done'),
});

export const discoverBody = z
  .strictObject({
    namespaces: z.array(namespace).max(100).optional().describe('only backends of these namespaces'),
    serviceTypes: z.array(name).max(100).optional().describe('only backends of these types'),
    force: z
      .boolean()
      .optional()
      .describe('true (default): probe healthy backends too; false: only those that are not healthy'),
  })
  .describe('which backends to probe again; by default, all');

export type DiscoverRequest = z.infer<typeof discoverBody>;

export const jobParams = z.strictObject({
  id: z.string().describe('jobId from the response to POST /discover'),
});

export const jobAnswer = z.object({
  jobId: z.uuid(),
  status: z.enum(['running', 'completed', 'failed']),
  message: z.string(),
  startedAt: time,
  completedAt: time.nullable(),
  estimatedCompletion: time.nullable(),
  services: z.int().nullable().describe('number of backends afterwards; null until the job is done'),
  asked: z.int().nullable().describe('number of known backends that were probed again'),
  healthy: z.int().nullable().describe('number of backends covered by the request that are healthy'),
  unhealthy: z.int().nullable().describe('number of them that are unhealthy'),
  unknown: z
    .int()
    .nullable()
    .describe('number of them with unknown health, for example while no backend is reachable'),
  changed: z.int().nullable().describe('number of them whose health changed'),
});
