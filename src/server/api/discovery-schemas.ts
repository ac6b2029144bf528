import * as z from 'zod';
import { flag, name, namespace, time } from '../schema-parts.ts';

export const discoverQuery = z.strictObject({
  wait: flag.optional().describe('true: respond when the job is done; false (default): respond at once.'),
});

export const discoverBody = z
  .strictObject({
    namespaces: z.array(namespace).max(100).optional().describe('Probe only backends in these namespaces.'),
    serviceTypes: z.array(name).max(100).optional().describe('Probe only backends of these types.'),
    force: z
      .boolean()
      .optional()
      .describe(
        'true (default): probe healthy backends too; false: probe only backends that are not healthy.',
      ),
  })
  .describe('The backends to probe again; all of them by default.');

export type DiscoverRequest = z.infer<typeof discoverBody>;

export const jobParams = z.strictObject({
  id: z.string().describe('The jobId from the response to POST /discover.'),
});

export const jobAnswer = z.object({
  jobId: z.uuid(),
  status: z.enum(['running', 'completed', 'failed']),
  message: z.string(),
  startedAt: time,
  completedAt: time.nullable(),
  estimatedCompletion: time.nullable(),
  services: z
    .int()
    .nullable()
    .describe('Number of backends after the discovery; null until the job is done.'),
  asked: z.int().nullable().describe('Number of known backends that were probed again.'),
  healthy: z.int().nullable().describe('Number of healthy backends among those that the request covers.'),
  unhealthy: z.int().nullable().describe('Number of unhealthy backends among them.'),
  unknown: z
    .int()
    .nullable()
    .describe(
      'Number of backends among them with unknown health, for example because no backend is reachable.',
    ),
  changed: z.int().nullable().describe('Number of backends among them whose health changed.'),
});
