/** Schemas that several requests and responses share. */
import * as z from 'zod';

/** Marks a string that is a detector's type. The description of the API lists these types. */
export const KNOWN_TYPE = 'Type of the backend, such as prometheus.';

/** Maximum number of items in one page, and the default of `limit`. */
export const PAGE = 500;

/** Names of namespaces and Services; a pattern of JSON Schema. */
export const NAME_PATTERN = '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$';

export const time = z.iso.datetime().describe('ISO 8601 in UTC.');
export const health = z.enum(['healthy', 'unhealthy', 'unknown']);
export const name = z.string().min(1).max(253);
export const namespace = z.string().regex(new RegExp(NAME_PATTERN));
export const CLUSTER = z.string().optional().describe('Name of the cluster; absent if there is only one.');
export const flag = z.enum(['true', 'false']);
export const note = z.object({ where: z.string(), what: z.string(), fix: z.string().optional() });

export const limit = z
  .string()
  .regex(/^([1-9]\d?|[1-4]\d\d|500)$/, `is not a whole number from 1 to ${PAGE}`)
  .optional();

/** Fields of every response with one page of a list. */
export const page = {
  total: z.int().describe('Total number of items on all pages.'),
  next: z.string().nullable().describe('Path of the next page; null on the last one.'),
  lastDiscovery: time.nullable(),
};
